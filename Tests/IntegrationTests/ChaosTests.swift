import Foundation
import SluiceCore
import TestSupport
import Testing

/// Everything at once, against a provider with every fault that `sluice mock` knows. What counts is what is there
/// afterwards.
@Suite struct `Chaos` {
    private static let faults = [
        "", "+burst", "+tokens=200+burst", "+status=500", "+status=429+retry-after=1", "+reset", "+close", "+garbage",
        "+huge-head", "+bad-length",
        "+cut", "+cut-clean", "+error-event", "+error-event=0.5", "+malformed", "+no-done", "+no-finish",
        "+error-in-200", "+latency-ms=200",
        "+stall+tokens=50", "+silence", "+slow-body", "+tokens=2000+token-rate=2000", "+redirect",
    ]

    @Test func `leaves the same process behind, with nothing in flight and no memory lost`() throws {
        let mock = try MockProcess()
        var configuration = Configuration()
        configuration.providers = [
            #""mock": {base_url: "http://127.0.0.1:\#(mock.port)/v1", api_key: "\#(Secrets.provider)"}"#
        ]
        configuration.timeouts = "first_byte_ms: 1000, stream_idle_ms: 1000, head_ms: 1000, body_stall_ms: 1000"
        configuration.workers = 2
        try withSluice(configuration) { sluice in
            let pid = sluice.process.pid
            try run(sluice, threads: 8, for: .seconds(2), seed: 1)
            try sluice.awaitQuiet()
            // What is loaded and pooled by then stays; what grows from here on would grow for ever.
            let before = sluice.residentByteCount
            let answered = try run(sluice, threads: 24, for: .seconds(8), seed: 100)
            try sluice.awaitQuiet()
            #expect(answered > 200, "\(answered) answers")
            #expect(sluice.process.isRunning && sluice.process.pid == pid)
            #expect(try sluice.health().json["status"].string == "ok")
            let after = sluice.residentByteCount
            #expect(after - before < 24 << 20, "\(before >> 20) MB became \(after >> 20) MB")
            #expect(
                try sluice.chat(#"{"model":"gpt-mock","messages":[{"role":"user","content":"Hello"}]}"#).status == 200)
        }
        mock.stop()
    }

    @discardableResult
    private func run(_ sluice: SluiceProcess, threads: Int, for duration: Duration, seed: UInt64) throws -> Int {
        let end = ContinuousClock.now + duration
        let port = sluice.ports[0]
        let workers = (0..<threads).map { number in
            Background<Int> {
                var random = SplitMix64(seed + UInt64(number))
                var answered = 0
                // What fails is what was asked for.
                while ContinuousClock.now < end { if (try? Self.once(port, &random)) == true { answered += 1 } }
                return answered
            }
        }
        return try workers.reduce(0) { try $0 + $1.value() }
    }

    private static func request(_ random: inout SplitMix64) -> [UInt8] {
        let fault = faults.randomElement(using: &random) ?? ""
        let text = String(repeating: "word ", count: Int.random(in: 1...400, using: &random))
        let stream = Bool.random(using: &random) ? #","stream":true"# : ""
        let body = #"{"model":"gpt-mock\#(fault)","messages":[{"role":"user","content":"\#(text)"}]\#(stream)}"#
        let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer \(Secrets.application)\r\n"
        if Int.random(in: 0..<4, using: &random) == 0 {
            return Array(
                "\(head)transfer-encoding: chunked\r\n\r\n\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
                    .utf8)
        }
        return Array("\(head)content-length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    /// - Returns: whether a whole answer came.
    private static func once(_ port: UInt16, _ random: inout SplitMix64) throws -> Bool {
        let wire = try Wire(port: port)
        let by = ContinuousClock.now + .seconds(4)
        var bytes = request(&random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0:  // half a request, and gone
            try wire.send(Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))))
            if Bool.random(using: &random) { wire.reset() }
            return false
        case 1:  // a request, and gone, perhaps in the middle of the answer
            try wire.send(bytes)
            usleep(UInt32.random(in: 0..<20_000, using: &random))
            if Bool.random(using: &random) { wire.reset() }
            return false
        case 2:  // some at once, of which some are read
            for _ in 0..<3 { bytes += request(&random) }
            try wire.send(bytes)
            for _ in 0..<Int.random(in: 1...4, using: &random) { _ = try wire.readResponse(by: by) }
            return true
        case 3:  // damaged
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            try wire.send(bytes)
            wire.endSending()
            _ = try wire.readResponse(by: by)
            return false
        case 4:  // in small pieces
            for start in stride(from: 0, to: bytes.count, by: 97) {
                try wire.send(Array(bytes[start..<min(start + 97, bytes.count)]))
            }
            _ = try wire.readResponse(by: by)
            return true
        case 5:  // HTTP/2, with resets
            var frames = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + HTTP2Wire.frame(4)
            for stream in stride(from: UInt32(1), to: 20, by: 2) {
                frames += HTTP2Wire.headers(stream, HTTP2Wire.get("/v1/models"))
                if Bool.random(using: &random) { frames += HTTP2Wire.reset(stream) }
            }
            try wire.send(frames)
            _ = try wire.receive(by: by)
            return false
        default:
            try wire.send(bytes)
            _ = try wire.readResponse(by: by)
            return true
        }
    }
}
