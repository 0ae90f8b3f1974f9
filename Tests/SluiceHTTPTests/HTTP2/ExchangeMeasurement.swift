import Foundation
import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

/// What an exchange costs. Only where it means something: `SLUICE_MEASURE=1 swift test -c release`.
@Suite(.serialized, .enabled(if: Measure.isWanted)) struct `HTTP/2 cost` {
    /// A client and a server that only count.
    private final class Counter: HTTP2SessionDelegate {
        var session: HTTP2Session?
        var completed = 0
        let answer = [UInt8](repeating: UInt8(ascii: "a"), count: 600)
        var response = ResponseHead.ok([
            (.date, "Fri, 14 Nov 2025 08:12:31 GMT"), (.server, "sluice"), (.xRequestID, "req_0123456789abcdef"),
            (.openaiProcessingMS, "312"), (.openaiVersion, "2020-10-01"),
        ])

        func received(body bytes: Span<UInt8>, on stream: StreamID) { session?.consumed(bytes.count, on: stream) }
        func refused(_ stream: StreamID, _ refusal: HTTP2Refusal) {}
        func closed(_ stream: StreamID, _ code: HTTP2ErrorCode) { completed += 1 }
        func ended(_ stream: StreamID, trailers: consuming HeaderFields?) {
            guard let session, session.role == .server else { return }
            session.respond(stream, response, body: .known(600))
            let answer = answer
            session.send(answer.span, on: stream)
            session.finish(stream)
        }
    }

    @Test(arguments: [1, 8, 64]) func `an exchange of 300 and 600 bytes through two sessions`(atOnce: Int) throws {
        let client = try HTTP2Session(role: .client, limits: .upstream)
        let server = try HTTP2Session(role: .server)
        let (atClient, atServer) = (Counter(), Counter())
        atClient.session = client
        atServer.session = server
        let request = RequestHead.chat([(.accept, "application/json"), (.acceptEncoding, "gzip"), (.xRequestID, "abc")])
        let body = [UInt8](repeating: UInt8(ascii: "q"), count: 300)
        let queue = ByteQueue()
        let now = Instant(nanoseconds: 1)
        func turn() throws {
            for _ in 0..<atOnce {
                let stream = try client.submitRequest(request, scheme: "https", body: .known(300))
                client.send(body.span, on: stream)
                client.finish(stream)
            }
            client.flush(into: queue, upTo: 1 << 20, for: atClient)
            for run in 0..<queue.runCount {
                unsafe try server.receive(queue.run(run).bindMemory(to: UInt8.self).span, at: now, for: atServer)
            }
            queue.removeAll()
            server.flush(into: queue, upTo: 1 << 20, for: atServer)
            for run in 0..<queue.runCount {
                unsafe try client.receive(queue.run(run).bindMemory(to: UInt8.self).span, at: now, for: atClient)
            }
            queue.removeAll()
        }
        for _ in 0..<2_000 { try turn() }
        var best = Double.infinity
        for _ in 0..<5 {
            let turns = 40_000 / atOnce
            let start = ThreadTime.now
            for _ in 0..<turns { try turn() }
            best = min(best, (ThreadTime.now - start) / .nanoseconds(turns * atOnce))
        }
        print("http2/exchange, \(atOnce) at once: \(Int(best)) ns")
        #expect(atClient.completed == (2_000 + 5 * (40_000 / atOnce)) * atOnce)
        #expect(best < 12_000)
    }

    @Test func `an SSE event of 200 bytes through two sessions`() throws {
        let pair = try SessionPair()
        let stream = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        try pair.run()
        let server = try #require(pair.atServer.streams[stream.number])
        pair.server.respond(server, .ok(), body: .unknown)
        try pair.run()
        let event = [UInt8](repeating: UInt8(ascii: "e"), count: 200)
        let (atClient, atServer) = (Counter(), Counter())
        atClient.session = pair.client
        let queue = ByteQueue()
        let (client, session, now) = (pair.client, pair.server, Instant(nanoseconds: 1))
        var best = Double.infinity
        for _ in 0..<5 {
            let start = ThreadTime.now
            for _ in 0..<100_000 {
                session.send(event.span, on: server)
                session.flush(into: queue, upTo: 65_536, for: atServer)
                for run in 0..<queue.runCount {
                    unsafe try client.receive(queue.run(run).bindMemory(to: UInt8.self).span, at: now, for: atClient)
                }
                queue.removeAll()
                if client.wantsToSend {
                    client.flush(into: queue, upTo: 65_536, for: atClient)
                    for run in 0..<queue.runCount {
                        unsafe try session.receive(
                            queue.run(run).bindMemory(to: UInt8.self).span, at: now, for: atServer)
                    }
                    queue.removeAll()
                }
            }
            best = min(best, (ThreadTime.now - start) / .nanoseconds(100_000))
        }
        print("http2/event: \(Int(best)) ns")
        #expect(best < 3_000)
    }

    @Test func `what a session and an idle stream keep in memory`() throws {
        let quiet = Counter()
        var greeting = FrameWriter()
        greeting.raw(FrameWriter.preface)
        greeting.settings()
        var requests = FrameWriter()
        for index in 0..<100 {
            requests.headers(UInt32(2 * index + 1), FrameWriter.post(), flags: FrameWriter.endHeaders)
        }
        var sessions: [HTTP2Session] = []
        let start = Measure.residentByteCount
        for _ in 0..<300 {
            let session = try HTTP2Session(role: .server)
            try session.receive(greeting.bytes.span, at: Instant(nanoseconds: 1), for: quiet)
            session.flush(into: ByteQueue(), upTo: 65_536, for: quiet)
            sessions.append(session)
        }
        let greeted = Measure.residentByteCount
        for session in sessions { try session.receive(requests.bytes.span, at: Instant(nanoseconds: 1), for: quiet) }
        let open = Measure.residentByteCount
        #expect(sessions.reduce(0) { $0 + $1.openStreamCount } == 30_000)
        print("http2/session: \((greeted - start) / 300) bytes, idle stream: \((open - greeted) / 30_000) bytes")
        #expect((open - greeted) / 30_000 < 2_000)
    }
}

enum Measure {
    static var residentByteCount: Int {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        return (pages.flatMap { Int($0[1]) } ?? 0) * 4_096
    }

    static var isWanted: Bool { ProcessInfo.processInfo.environment["SLUICE_MEASURE"] != nil }
}
