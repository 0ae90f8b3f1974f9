import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `Mutated messages` {
    static let seeds = [
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: y\r\n\r\nhelloGET / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nEtag: 1\r\n\r\nGET",
        "POST http://a/b HTTP/1.1\r\nHost: a:80\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        "OPTIONS * HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ]
    /// What parsers disagree about.
    static let snippets = [
        "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", ";", "\"", "\\", "0", "5", "f", "-", "+", "\u{B}", "\u{7F}", "#",
        "%", "Content-Length: 5\r\n",
        "Content-Length: 6\r\n", "Transfer-Encoding: chunked\r\n", "Host: b\r\n", "chunked", "HTTP/1.0", "\r\n\r\n",
        "GET / HTTP/1.1\r\n",
    ]

    func mutated(using random: inout SplitMix64) -> [UInt8] {
        var bytes = Self.seeds.randomElement(using: &random)!.bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(bytes[at], at: at)
            case 3: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...12, using: &random)))
            default: bytes.insert(contentsOf: Self.snippets.randomElement(using: &random)!.bytes, at: at)
            }
            if bytes.isEmpty { bytes = [0x20] }
        }
        return bytes
    }

    @Test func `never trap, and are taken the same however they arrive`() {
        for seed in SplitMix64.seeds(4000) {
            var random = SplitMix64(seed)
            let bytes = mutated(using: &random)
            let whole = Message.request(bytes)
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let pieces = Message.request(bytes, cuts: cuts)
            // A head that comes in pieces is refused at its end, if not sooner; it may not get there.
            #expect(pieces == whole || pieces == .incomplete && whole == .refused, "seed \(seed): \(bytes.text)")
            _ = Message.response(bytes, cuts: cuts)
        }
    }

    @Test func `that are accepted have one framing, and no line that another reader would end elsewhere`() {
        var accepted = 0
        for seed in SplitMix64.seeds(4000) {
            var random = SplitMix64(seed)
            let bytes = mutated(using: &random)
            var parser = HeadParser()
            guard let parsed = try? parser.request(in: bytes.span), let framing = try? BodyFraming.request(parsed.head)
            else {
                continue
            }
            accepted += 1
            let head = Array(bytes[..<parsed.byteCount])
            for (index, byte) in head.enumerated() {
                #expect(
                    byte != 0 && byte != 0x7F && (byte >= 0x20 || byte == 9 || byte == 10 || byte == 13), "seed \(seed)"
                )
                if byte == 10 { #expect(index > 0 && head[index - 1] == 13, "seed \(seed)") }
                if byte == 13 { #expect(index + 1 < head.count && head[index + 1] == 10, "seed \(seed)") }
            }
            let lines = head.text.lowercased().split(separator: "\r\n").dropFirst()
            let lengths = lines.filter { $0.hasPrefix("content-length:") }
            let codings = lines.filter { $0.hasPrefix("transfer-encoding:") }
            #expect(lengths.count + codings.count <= 1, "seed \(seed)")
            #expect(lines.filter { $0.hasPrefix("host:") }.count <= 1, "seed \(seed)")
            switch framing {
            case .none: #expect(lengths.isEmpty && codings.isEmpty, "seed \(seed)")
            case .known(let count): #expect(lengths.first?.contains(String(count)) == true, "seed \(seed)")
            case .chunked: #expect(codings.count == 1, "seed \(seed)")
            case .untilClose: Issue.record("seed \(seed): a request until close")
            }
        }
        #expect(accepted > 200)
    }

    @Test func `that are accepted and written again read the same`() throws {
        for seed in SplitMix64.seeds(2000) {
            var random = SplitMix64(seed)
            let bytes = mutated(using: &random)
            guard case .whole(let whole) = Message.request(bytes) else { continue }
            var parser = HeadParser()
            let head = try #require(try parser.request(in: bytes.span)).head
            if head.authority.isEmpty { continue }
            let buffer = ByteBuffer()
            try MessageWriter.request(
                head.method, target: head.target.span, host: head.authority.span, fields: head.fields,
                framing: .known(whole.body.count),
                into: buffer)
            buffer.append(whole.body.span)
            let again = try #require(Message.request(buffer.span.indices.map { buffer[$0] }).whole, "seed \(seed)")
            #expect(again.body == whole.body && again.byteCount == buffer.count, "seed \(seed)")
            #expect(again.firstLine.hasPrefix("\(head.method) \(head.target.text) "), "seed \(seed)")
        }
    }
}
