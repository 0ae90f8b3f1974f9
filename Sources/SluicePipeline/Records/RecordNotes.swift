internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceStorage

/// What is kept of one exchange for its record, until it is over.
final class RecordNotes: ReplyTap {
    private(set) var content = RecordedContent()
    private let byteCountMax: Int
    /// The reply's body is kept.
    private(set) var takesReply = false
    /// Somebody else who keeps the reply.
    var next: (any ReplyTap)?

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// Notes what was asked, as far as the settings want it. To be called once, when the request has been read.
    static func begin(
        _ request: IncomingRequest, _ context: RequestContext, _ settings: RecordSettings, takesBodies: Bool,
        tape: JSONTape
    ) {
        let notes = RecordNotes(byteCountMax: settings.bodyByteCountMax)
        context.notes = notes
        if settings.keepsParameters, case .json(let body) = request.body {
            notes.content.parameters = RequestParameters.write(tape.root(over: body.span))
        }
        guard settings.keepsBodies, takesBodies else { return }
        switch request.body {
        case .json(let body), .whole(let body): notes.keep(request: body)
        case .none, .streamed: break
        }
        notes.takesReply = true
        context.watchReply()
    }

    /// The body is nobody's to change any more: it is kept as it is where it is short enough.
    private func keep(request body: ByteBuffer) {
        content.isRequestCut = body.count > byteCountMax
        content.request = content.isRequestCut ? ByteBuffer(copying: body.span.extracting(first: byteCountMax)) : body
    }

    // MARK: ReplyTap

    func began(_ head: ResponseHead) { next?.began(head) }

    func passed(_ bytes: Span<UInt8>) {
        keep(bytes)
        next?.passed(bytes)
    }

    func passed(sharing buffer: ByteBuffer) {
        keep(buffer.span)
        next?.passed(sharing: buffer)
    }

    func completed() { next?.completed() }

    private func keep(_ bytes: Span<UInt8>) {
        let response = content.response ?? ByteBuffer(capacity: min(byteCountMax, max(bytes.count, 1024)))
        content.response = response
        let room = byteCountMax - response.count
        if bytes.count > room { content.isResponseCut = true }
        response.append(bytes.extracting(first: min(room, bytes.count)))
    }
}

/// A request's parameters: numbers, switches and short words as they are; of texts and lists only how long they are.
enum RequestParameters {
    /// Longer words are texts.
    private static let wordByteCountMax = 64
    private static let membersMax = 64
    private static let byteCountMax = 4096
    /// What an application says in these is its own, or names somebody.
    private static let texts: [StaticString] = [
        "prompt", "input", "query", "user", "safety_identifier", "instructions", "prompt_cache_key",
    ]

    static func write(_ root: JSONValue) -> ByteBuffer? {
        guard root.isObject else { return nil }
        let buffer = ByteBuffer(capacity: 256)
        var json = JSONWriter(into: buffer)
        json.beginObject()
        var count = 0
        var members = root.members
        while let member = members.next() {
            if count == membersMax || buffer.count > byteCountMax { break }
            let key = member.key
            guard let name = key.escapedBytes, name.count <= wordByteCountMax, isPlain(name) else { continue }
            count += 1
            json.key(name)
            let value = member.value
            switch value.kind {
            case .array, .object: json.int(value.count)
            case .string:
                let text = value.escapedBytes
                let length = text?.count ?? 0
                if length <= wordByteCountMax, let text, !isText(name) {
                    json.string(escaped: text)
                } else {
                    json.int(length)
                }
            default: json.value(value)
            }
        }
        json.endObject()
        return buffer
    }

    private static func isText(_ name: Span<UInt8>) -> Bool {
        for text in texts where name.equals(text) { return true }
        return false
    }

    private static func isPlain(_ name: Span<UInt8>) -> Bool {
        for index in name.indices {
            let byte = name[index]
            if !(byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")) {
                return false
            }
        }
        return !name.isEmpty
    }
}
