internal import SluiceCore
internal import SluiceJSON

/// What a reply says of itself, in whichever dialect it went out: read once, when the exchange is over, of sampled ones alone.
struct ReplyFacts {
    private(set) var id: String?
    private(set) var model: String?
    private(set) var finishReasons: [String] = []

    /// Events that are looked at from the end of a stream.
    private static let eventCountMax = 16
    private static let reasonCountMax = 16
    /// Of a word that a provider has chosen.
    private static let wordByteCountMax = 256

    init(_ notes: SpanNotes, tape: JSONTape) {
        if let whole = notes.whole {
            if !whole.isEmpty { read(whole.span, tape) }
        } else if notes.isEventStream {
            readStream(notes, tape)
        }
    }

    private mutating func readStream(_ notes: SpanNotes, _ tape: JSONTape) {
        let (beginning, end) = (notes.beginning, notes.end)
        for line in Self.dataLines(beginning.span).prefix(2) where id == nil {
            read(beginning.span.extracting(line), tape)
        }
        for line in Self.dataLines(end.span).suffix(Self.eventCountMax).reversed() where finishReasons.isEmpty {
            read(end.span.extracting(line), tape)
        }
    }

    /// What follows `data:` in lines that are whole.
    private static func dataLines(_ bytes: Span<UInt8>) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        while let end = bytes.firstIndex(of: ASCII.lineFeed, from: start) {
            if bytes.extracting(start..<end).hasPrefix("data:") { lines.append(start + 5..<end) }
            start = end + 1
        }
        return lines
    }

    private mutating func read(_ document: Span<UInt8>, _ tape: JSONTape) {
        guard (try? tape.scan(document)) != nil else { return }
        let root = tape.root(over: document)
        take(root)
        // Events of Anthropic's and of the Responses API, and the platform's envelope, have it one level deeper.
        if let inner = root["message"] { take(inner) }
        if let inner = root["response"] { take(inner) }
        if let inner = root["data"], inner.isObject { take(inner) }
        if let inner = root["delta"], inner.isObject { takeReason(inner["stop_reason"]) }
    }

    private mutating func take(_ value: JSONValue) {
        if id == nil { id = Self.word(value["id"]) }
        if model == nil { model = Self.word(value["model"]) }
        takeReason(value["stop_reason"])
        takeReason(value["finish_reason"])
        var choices = value.elements(of: "choices")
        while let choice = choices.next() { takeReason(choice["finish_reason"]) }
        if value["object"]?.equals("response") == true { takeReason(value["status"]) }
    }

    private mutating func takeReason(_ value: JSONValue?) {
        // What has not ended has no reason yet.
        guard finishReasons.count < Self.reasonCountMax, let word = Self.word(value), word != "in_progress" else { return }
        finishReasons.append(word)
    }

    private static func word(_ value: JSONValue?) -> String? {
        guard let value, value.isString, let text = value.string, 1...wordByteCountMax ~= text.utf8.count else { return nil }
        return text
    }
}
