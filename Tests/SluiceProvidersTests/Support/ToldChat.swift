import Foundation
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import Testing

/// What an answer says, whether it is told whole or in chunks, and whoever made the ids of its calls.
struct ToldChat: Equatable {
    struct Call: Equatable {
        var name = ""
        var arguments = ""
    }

    var id: String?
    var content = ""
    var reasoning = ""
    var calls: [Call] = []
    var finish: String?
    var usage: [String: Int] = [:]

    /// - Parameter text: a chat completion, or a stream of chunks.
    init(_ text: String) {
        if text.hasPrefix("data:") {
            for event in data(ofEvents: text) { take(event as? [String: Any] ?? [:], "delta") }
        } else {
            take((try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:], "message")
        }
    }

    private mutating func take(_ document: [String: Any], _ member: String) {
        id = document["id"] as? String ?? id
        if let usage = document["usage"] as? [String: Any] { take(usage: usage) }
        guard let choice = (document["choices"] as? [[String: Any]])?.first else { return }
        finish = choice["finish_reason"] as? String ?? finish
        guard let said = choice[member] as? [String: Any] else { return }
        content += said["content"] as? String ?? ""
        reasoning += said["reasoning_content"] as? String ?? ""
        for (place, call) in (said["tool_calls"] as? [[String: Any]] ?? []).enumerated() {
            let index = call["index"] as? Int ?? place
            while calls.count <= index { calls.append(Call()) }
            let function = call["function"] as? [String: Any] ?? [:]
            calls[index].name += function["name"] as? String ?? ""
            calls[index].arguments += function["arguments"] as? String ?? ""
        }
    }

    private mutating func take(usage: [String: Any]) {
        for key in ["prompt_tokens", "completion_tokens", "total_tokens"] { self.usage[key] = usage[key] as? Int }
        self.usage["cached"] = (usage["prompt_tokens_details"] as? [String: Any])?["cached_tokens"] as? Int
        self.usage["reasoning"] = (usage["completion_tokens_details"] as? [String: Any])?["reasoning_tokens"] as? Int
    }
}

/// The dialects that providers in China speak beside OpenAI's, each with its goldens.
enum NativeDialect: String, CaseIterable, CustomTestStringConvertible {
    case ernie = "Ernie"
    case dashScope = "DashScope"
    case hunyuan = "Hunyuan"
    case spark = "Spark"

    var testDescription: String { rawValue }

    var chat: any ChatDialect {
        switch self {
        case .ernie: ErnieDialect()
        case .dashScope: DashScopeDialect()
        case .hunyuan: HunyuanDialect()
        case .spark: SparkDialect()
        }
    }

    func golden(_ name: String) throws -> String { try Golden.text("\(rawValue)/\(name)") }

    /// The names of its transcripts of streams.
    var transcripts: [String] {
        switch self {
        case .ernie: ["G2.stream.txt", "tool.stream.txt"]
        case .dashScope: ["G4.stream.txt", "G5.stream.txt", "tools.stream.txt", "cumulative-tools.stream.txt"]
        case .hunyuan: ["G2.stream.txt", "G5.stream.txt", "tools.stream.txt"]
        case .spark: ["G4.frames.txt", "G5.frames.txt", "G6.frames.txt", "tool.frames.txt"]
        }
    }

    /// A transcript as it goes over the wire: for a WebSocket, its lines are messages of two frames, with a ping between them.
    func wire(_ transcript: String) -> [UInt8] {
        if self != .spark { return Array(transcript.utf8) }
        var bytes: [UInt8] = []
        for line in transcript.split(separator: "\n") {
            let text = Array(line.utf8)
            let middle = text.count / 2
            bytes +=
                Self.frame(0x01, text[..<middle]) + Self.frame(0x89, [1, 2, 3]) + Self.frame(0x80, text[middle...])
        }
        return bytes
    }

    /// A frame as servers send it.
    static func frame(_ first: UInt8, _ payload: some Collection<UInt8>) -> [UInt8] {
        let length: [UInt8] =
            payload.count < 126
            ? [UInt8(payload.count)]
            : [126, UInt8(truncatingIfNeeded: payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)]
        return [first] + length + payload
    }

    /// - Returns: whether the answer was complete.
    @discardableResult
    func play(_ pieces: [[UInt8]], into sink: any ReplySink) throws -> Bool {
        if self != .spark { return try Transcoder.stream(pieces, from: chat, into: sink) }
        let decoder = chat.makeDecoder()
        let tape = JSONTape()
        var parser = WebSocketFrameParser()
        for piece in pieces {
            let bytes = piece.span
            var offset = 0
            while let event = try parser.next(in: bytes, at: &offset) {
                if event.kind != .text { continue }
                let message = parser.payload(of: event, in: bytes)
                if (try? tape.scan(message)) == nil { continue }
                decoder.decode(event: tape.root(over: message), named: "".utf8Span.span, into: sink)
            }
        }
        return decoder.end(into: sink)
    }

    /// A transcript as the application gets it.
    func told(_ name: String) throws -> (text: String, fault: ProviderFault?, isComplete: Bool) {
        let writer = ChatStreamWriter(Transcoder.identity, showsUsage: true)
        let isComplete = try play([wire(try golden(name))], into: writer)
        if isComplete, writer.fault == nil { writer.finishStream() }
        return (writer.output.text, writer.fault, isComplete)
    }

    /// A whole reply as the application gets it.
    func completion(_ reply: String) throws -> (text: String, fault: ProviderFault?) {
        let assembly = try Transcoder.whole(reply, from: chat)
        var identity = Transcoder.identity
        let buffer = ByteBuffer()
        ChatReplyBody.write(assembly, &identity, into: buffer)
        return (buffer.text, assembly.fault)
    }

    /// An error's reply with this status.
    func fault(_ status: Status, _ body: String) throws -> ProviderFault {
        let bytes = ByteBuffer(body)
        let tape = JSONTape()
        let head = ResponseHead(status)
        guard (try? tape.scan(bytes.span)) != nil else { return chat.fault(head, nil, text: bytes.span) }
        return chat.fault(head, tape.root(over: bytes.span), text: bytes.span)
    }

    /// A request, as `Transcoder` makes it, of an application that the provider knows.
    func sent(_ request: String, _ capabilities: Capabilities = Capabilities()) throws -> (
        body: String, report: FieldReport
    ) {
        let bytes = ByteBuffer(request)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let root = tape.root(over: bytes.span)
        let chatRequest = ChatRequest(
            root, model: root["model"]?.string ?? "", isStream: root["stream"]?.bool ?? false, applicationID: "testapp1"
        )
        let body = ByteBuffer()
        var report = FieldReport()
        try chat.encode(chatRequest, capabilities, into: body, &report)
        return (body.text, report)
    }

    func target(_ request: String) throws -> String {
        let bytes = ByteBuffer(request)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let root = tape.root(over: bytes.span)
        return chat.chatTarget(ChatRequest(root, model: root["model"]?.string ?? "", isStream: false))
    }
}

extension ProviderFault {
    /// As OpenAI's error object.
    var told: String {
        let members: [String: Any] = [
            "message": message, "type": type, "code": code.map { $0 as Any } ?? NSNull(),
            "param": param.map { $0 as Any } ?? NSNull(),
        ]
        let data = (try? JSONSerialization.data(withJSONObject: ["error": members])) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}
