import Foundation
import SluiceConfig
import SluiceHTTP
import SluiceProviders
import Testing

/// The golden pairs of the providers' sheets: request and reply, streamed and not.
@Suite struct `The golden pairs of adapters` {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "Golden/Adapters")

    struct Case {
        let name: String
        let members: [String: Any]

        init(_ file: URL) throws {
            name = file.deletingPathExtension().lastPathComponent
            members = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
        }

        func text(_ key: String) -> String? { members[key] as? String }
        func flag(_ key: String) -> Bool { members[key] as? Bool ?? false }
        func json(_ key: String) throws -> String? {
            guard let value = members[key] else { return nil }
            return String(decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self)
        }

        var bench: AdapterBench {
            get throws {
                let adapter = try #require(AdapterLibrary.builtIn[text("adapter") ?? ""], "\(name): no such adapter")
                let request = members["request"] as? [String: Any]
                let reply = members["returned"] as? [String: Any]
                return AdapterBench(
                    adapter, model: text("model") ?? request?["model"] as? String ?? reply?["model"] as? String ?? "m")
            }
        }
    }

    static var cases: [Case] {
        let names = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return names.sorted { $0.path < $1.path }.compactMap { try? Case($0) }
    }

    @Test func `are all here`() { #expect(Self.cases.count >= 50) }

    @Test func `turn requests into what the platform takes`() throws {
        for item in Self.cases {
            guard let request = try item.json("request"), let wanted = try item.json("sent") else { continue }
            let sent = try item.bench.send(request)
            #expect(Canonical.equal(sent.body, wanted), "\(item.name):\n\(sent.body)\n\(wanted)")
            if let lost = item.members["lost"] as? [String] { #expect(sent.report.lost == lost, "\(item.name)") }
            if let target = item.text("target") {
                let bench = try item.bench
                #expect(
                    String(
                        decoding: bench.adaptation.target(.chat, model: bench.model, rest: [UInt8]().span),
                        as: UTF8.self) == target)
            }
        }
    }

    @Test func `turn whole replies into OpenAI's`() throws {
        for item in Self.cases {
            guard let received = try item.json("received"), let wanted = try item.json("returned") else { continue }
            let reply = try item.bench.whole(received, stops: item.members["request_stops"] as? [String] ?? [])
            #expect(reply.fault == nil, "\(item.name)")
            let options = Canonical.Options(
                ignoresIDs: item.flag("minted_ids"), ignoresCreated: item.flag("minted_created"))
            #expect(
                Canonical.reply(reply.body, options) == Canonical.reply(wanted, options),
                "\(item.name):\n\(reply.body)\n\(wanted)")
        }
    }

    @Test func `turn streams into OpenAI's, however the bytes are cut`() throws {
        for item in Self.cases {
            guard let stream = item.text("stream"), let wanted = item.text("emitted") else { continue }
            let bench = try item.bench
            let whole = bench.stream(stream, showsUsage: item.flag("usage"))
            var found = CanonicalStream(whole.text)
            if let fault = whole.fault {
                found.events.append("error \(fault.type) \(fault.code ?? "null") \(fault.message)")
            }
            let expected = CanonicalStream(wanted)
            #expect(found.events == expected.events, "\(item.name):\n\(whole.text)")
            // A stream that fails before it says anything has no chunk: its head can still say what happened.
            if !found.identity.isEmpty { #expect(found.identity == expected.identity, "\(item.name)") }
            #expect(whole.isComplete, "\(item.name)")
            for cut in [1, 2, 3, 7, 61] {
                #expect(
                    bench.stream(stream, showsUsage: item.flag("usage"), cut: cut) == whole, "\(item.name), cut \(cut)")
            }
        }
    }

    @Test func `turn errors into OpenAI's`() throws {
        for item in Self.cases {
            guard let wanted = item.members["returned_error"] as? [String: Any],
                let error = wanted["error"] as? [String: Any]
            else { continue }
            let fault: ProviderFault
            if let body = try item.json("error") {
                fault = try item.bench.fault(body, status: Status(UInt16(item.members["status"] as? Int ?? 0)))
            } else {
                fault = try #require(try item.bench.whole(try item.json("in_band") ?? "").fault, "\(item.name)")
            }
            #expect(Int(fault.status.code) == item.members["returned_status"] as? Int, "\(item.name)")
            #expect(fault.message == error["message"] as? String, "\(item.name)")
            #expect(fault.type == error["type"] as? String, "\(item.name)")
            #expect(fault.code == error["code"] as? String, "\(item.name)")
            #expect(fault.param == error["param"] as? String, "\(item.name)")
            if let retryable = item.members["retryable"] as? Bool {
                #expect(fault.isRetryable == retryable, "\(item.name)")
            }
            if let seconds = item.members["retry_after"] as? Int {
                #expect(fault.retryAfter == .seconds(seconds), "\(item.name)")
            }
        }
    }
}
