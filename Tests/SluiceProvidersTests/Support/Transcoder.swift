import Foundation
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders

/// Requests and replies taken from one dialect to another, as the pipeline does it.
enum Transcoder {
    struct Failure: Error { let message: String }

    /// A request as the provider gets it, and what was reported of it.
    static func request(
        _ chat: String, to dialect: any ChatDialect, _ capabilities: Capabilities = Capabilities()
    ) throws -> (body: String, report: FieldReport) {
        let bytes = ByteBuffer(chat)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let root = tape.root(over: bytes.span)
        let request = ChatRequest(root, model: root["model"]?.string ?? "", isStream: root["stream"]?.bool ?? false)
        let body = ByteBuffer()
        var report = FieldReport()
        try dialect.encode(request, capabilities, into: body, &report)
        return (body.text, report)
    }

    /// A whole reply, collected.
    static func whole(_ reply: String, from dialect: any ChatDialect) throws -> ReplyAssembly {
        let bytes = ByteBuffer(reply)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let assembly = ReplyAssembly()
        dialect.makeDecoder().decode(whole: tape.root(over: bytes.span), into: assembly)
        return assembly
    }

    /// A stream in pieces, through a writer or an assembly.
    ///
    /// - Returns: whether the decoder found it complete.
    @discardableResult
    static func stream(_ pieces: [[UInt8]], from dialect: any ChatDialect, into sink: any ReplySink) throws -> Bool {
        let decoder = dialect.makeDecoder()
        let tape = JSONTape()
        var parser = EventParser()
        for piece in pieces {
            let bytes = piece.span
            var offset = 0
            while let event = try parser.next(in: bytes, at: &offset) {
                if event.kind != .message { continue }
                let data = parser.data(of: event, in: bytes)
                if data.equals("[DONE]") {
                    decoder.done(into: sink)
                } else if (try? tape.scan(data)) != nil {
                    decoder.decode(event: tape.root(over: data), named: parser.name(of: event, in: bytes), into: sink)
                }
            }
        }
        return decoder.end(into: sink)
    }

    /// The bytes cut into pieces of random lengths.
    static func pieces(_ text: String, _ random: inout SplitMix64) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + 1 + Int(random.next() % 40))
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }

    /// Some bytes of it changed, left out or doubled.
    static func mutated(_ text: String, _ random: inout SplitMix64) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0...Int(random.next() % 4) {
            let place = Int(random.next() % UInt64(max(1, bytes.count)))
            if bytes.isEmpty { break }
            switch random.next() % 4 {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(bytes[place], at: place)
            default: bytes[place] = Array("0\"{}[],:".utf8)[Int(random.next() % 8)]
            }
        }
        return bytes
    }

    static let identity = ReplyIdentity(requestID: "req_1", created: 1_764_000_000, model: "m", seed: 1)
}

/// The transcripts of the fact sheets.
enum Golden {
    static func text(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: folder.appendingPathComponent("Golden/\(name)"), encoding: .utf8)
    }
}

/// Whether two JSON texts say the same, whatever the order of members.
func isSame(_ one: String, _ other: String) -> Bool {
    func value(_ text: String) -> NSObject? {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) as? NSObject
    }
    guard let one = value(one), let other = value(other) else { return false }
    return one == other
}

/// What the events of a stream say, each as a value to compare.
func data(ofEvents stream: String) -> [NSObject] {
    stream.components(separatedBy: "\n").filter { $0.hasPrefix("data: ") }.map { line in
        let text = line.dropFirst(6)
        let value = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        return value as? NSObject ?? NSString(string: String(text))
    }
}
