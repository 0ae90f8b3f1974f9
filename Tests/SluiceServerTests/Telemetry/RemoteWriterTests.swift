import SluiceCore
internal import SluiceHTTP
import TestSupport
import Testing

@testable import SluiceServer

/// Messages of remote-write 1.0, read by a reader that was written from the specification.
@Suite struct `Remote-write` {
    struct Series: Equatable {
        var labels: [[String]] = []
        var bits: [UInt64] = []
        var times: [UInt64] = []

        var name: String { labels.first { $0[0] == "__name__" }?[1] ?? "" }
        var value: Double { Double(bitPattern: bits.first ?? 0) }
        func label(_ name: String) -> String? { labels.first { $0[0] == name }?[1] }
    }

    private let counter = MetricFamily("requests", .counter, labels: ["route", "code"], help: "Requests.")
    private let gauge = MetricFamily("in_flight", .gauge, help: "Under way.")
    private let duration = MetricFamily(
        "duration_seconds", .histogram(HistogramScale([0.5, 1])), unit: "seconds", labels: ["route"], help: "Time.")

    private func series(_ messages: [TelemetryMessage]) throws -> [Series] {
        var all: [Series] = []
        for message in messages {
            #expect(message.method == .post && message.contentType?.description == "application/x-protobuf")
            #expect(message.fields.map(\.name) == ["content-encoding", "x-prometheus-remote-write-version"])
            #expect(message.fields.map(\.value) == ["snappy", "0.1.0"])
            let read = try ProtobufReader.fields(SnappyReader.decompress(message.body)).map { field in
                #expect(field.number == 1)
                return try Self.series(field.bytes)
            }
            #expect(read.count == message.itemCount)
            all += read
        }
        return all
    }

    private static func series(_ bytes: [UInt8]) throws -> Series {
        var series = Series()
        for field in try ProtobufReader.fields(bytes) {
            let inner = try ProtobufReader.fields(field.bytes)
            switch field.number {
            case 1: series.labels.append(inner.map { String(decoding: $0.bytes, as: UTF8.self) })
            default:
                series.bits.append(inner[0].value)
                series.times.append(inner[1].value)
            }
        }
        return series
    }

    @Test func `is these bytes`() throws {
        var writer = RemoteWriter([("job", "j")], samplesMax: 100)
        var collection = MetricCollection()
        collection.add(gauge, [], 1)
        let messages = writer.messages(collection, at: 1_700_000_000_000)
        var content: [UInt8] = [0x0A, 21, 0x0A, 8]
        content += Array("__name__".utf8)
        content += [0x12, 9] as [UInt8]
        content += Array("in_flight".utf8)
        content += [0x0A, 8, 0x0A, 3] as [UInt8]
        content += Array("job".utf8)
        content += [0x12, 1, 0x6A] as [UInt8]
        content += [0x12, 16, 0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x10, 0x80, 0xD0, 0x95, 0xFF, 0xBC, 0x31] as [UInt8]
        let found = try SnappyReader.decompress(messages[0].body)
        #expect(found == [0x0A, UInt8(content.count)] as [UInt8] + content)
    }

    @Test func `has every series with its labels in order, and histograms in parts`() throws {
        var writer = RemoteWriter([("job", "sluice"), ("instance", "a:1"), ("Zone", "z")], samplesMax: 1000)
        var collection = MetricCollection()
        collection.add(counter, ["chat", ""], 7)
        collection.add(duration, ["chat"], .histogram(counts: [1, 2, 3], sum: 9.5))
        let all = try series(writer.messages(collection, at: 5000))
        #expect(all.map(\.name) == [
            "requests_total", "duration_seconds_bucket", "duration_seconds_bucket", "duration_seconds_bucket",
            "duration_seconds_sum", "duration_seconds_count",
        ])
        #expect(all.map(\.value) == [7, 1, 3, 6, 9.5, 6])
        #expect(all.map { $0.label("le") } == [nil, "0.5", "1.0", "+Inf", nil, nil])
        for one in all {
            let names = one.labels.map { $0[0] }
            #expect(names == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } && Set(names).count == names.count)
            #expect(one.label("job") == "sluice" && one.label("instance") == "a:1" && one.label("route") == "chat")
            #expect(one.labels.allSatisfy { !$0[1].isEmpty } && one.times == [5000])
        }
        // Upper case comes before the underscores of __name__.
        #expect(all[0].labels.map { $0[0] } == ["Zone", "__name__", "instance", "job", "route"])
    }

    @Test func `comes in messages of so many samples`() throws {
        var writer = RemoteWriter([("job", "j")], samplesMax: 4)
        var collection = MetricCollection()
        for index in 0..<10 { collection.add(counter, ["r\(index)", "200"], index) }
        let messages = writer.messages(collection, at: 1)
        #expect(messages.map(\.itemCount) == [4, 4, 2])
        #expect(try series(messages).map(\.value) == (0..<10).map { Double($0) })
        #expect(writer.messages(MetricCollection(), at: 2).map(\.itemCount) == [4, 4, 2])
        #expect(writer.messages(MetricCollection(), at: 3).isEmpty)
    }

    @Test func `says once of a series that is gone that it is`() throws {
        var writer = RemoteWriter([("job", "j")], samplesMax: 100)
        var collection = MetricCollection()
        collection.add(counter, ["a", "200"], 1)
        collection.add(counter, ["b", "200"], 1)
        collection.add(duration, ["a"], .histogram(counts: [1, 2, 3], sum: 9.5))
        _ = writer.messages(collection, at: 1)
        var fewer = MetricCollection()
        fewer.add(counter, ["a", "200"], 2)
        let all = try series(writer.messages(fewer, at: 2))
        #expect(all.filter { $0.bits != [RemoteWriter.staleBits] }.map(\.value) == [2])
        let stale = all.filter { $0.bits == [RemoteWriter.staleBits] }
        #expect(stale.count == 6 && stale.filter { $0.name == "requests_total" }.map { $0.label("route") } == ["b"])
        #expect(try series(writer.messages(fewer, at: 3)).count == 1)
    }

    @Test func `says at the end of all that they are gone`() throws {
        var writer = RemoteWriter([("job", "j")], samplesMax: 100)
        var collection = MetricCollection()
        collection.add(gauge, [], 1)
        collection.add(duration, ["a"], .histogram(counts: [1, 2, 3], sum: 9.5))
        _ = writer.messages(collection, at: 10)
        let all = try series(writer.ending(at: 10))
        #expect(all.count == 6 && all.allSatisfy { $0.bits == [0x7FF0_0000_0000_0002] && $0.times == [11] })
        #expect(writer.ending(at: 12).isEmpty)
    }

    @Test func `never goes back in time`() throws {
        var writer = RemoteWriter([], samplesMax: 100)
        var collection = MetricCollection()
        collection.add(gauge, [], 1)
        var times: [UInt64] = []
        for clock in [100, 50, 50, 200] { times += try series(writer.messages(collection, at: clock))[0].times }
        #expect(times == [100, 101, 102, 200])
    }

    @Test func `labels of metrics give way to those of the configuration`() throws {
        var writer = RemoteWriter([("job", "j"), ("route", "ours")], samplesMax: 100)
        var collection = MetricCollection()
        collection.add(counter, ["theirs", "200"], 1)
        let one = try series(writer.messages(collection, at: 1))[0]
        #expect(one.label("route") == "ours" && one.label("exported_route") == "theirs")
    }

    @Test func `has numbers that are none`() throws {
        var writer = RemoteWriter([], samplesMax: 100)
        var collection = MetricCollection()
        collection.add(gauge, [], .number(.nan))
        collection.add(gauge, [], .number(-.infinity))
        let all = try series(writer.messages(collection, at: 1))
        #expect(all[0].value.isNaN && all[0].bits != [RemoteWriter.staleBits] && all[1].value == -.infinity)
    }
}
