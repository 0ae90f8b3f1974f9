internal import SluiceCore

/// The text of an answer: what is said, in how many tokens, and why it ends there.
struct ReplyText {
    enum End: Equatable {
        case stop, length, contentFilter

        var finishReason: StaticString {
            switch self {
            case .stop: "stop"
            case .length: "length"
            case .contentFilter: "content_filter"
            }
        }
    }

    let bytes: [UInt8]
    let tokenCount: Int
    let end: End

    /// - Parameters:
    ///   - echo: what is answered if the behaviour says nothing else.
    ///   - limit: of tokens, if the request has one.
    ///   - stops: sequences at which the answer ends, without them.
    ///   - prefill: how the answer begins already: what follows it is answered.
    init(
        echo: [UInt8], _ behaviour: Behaviour, limit: Int? = nil, stops: [[UInt8]] = [], prefill: [UInt8] = []
    ) {
        var source = echo
        if let text = behaviour.text {
            source = Array(text.utf8)
        } else if let tokens = behaviour.tokens {
            source = Filler.text(tokens: tokens)
        }
        if let share = behaviour.variance { Self.vary(&source, from: share, turn: behaviour.turn) }
        if !prefill.isEmpty { source.removeSubrange(..<Self.end(of: prefill, in: source)) }
        if let cut = Self.firstStop(in: source, stops) { source.removeSubrange(cut...) }
        let bound = min(limit ?? Behaviour.tokensMax, Behaviour.tokensMax)
        let (byteCount, tokens) = Tokens.prefix(bound, of: source.span)
        var kept = (byteCount, tokens)
        var end = byteCount < source.count ? End.length : .stop
        if behaviour.fault == .contentFiltered {
            kept = Tokens.prefix((tokens + 1) / 2, of: source.span)
            end = .contentFilter
        }
        if kept.0 < source.count { source.removeSubrange(kept.0...) }
        bytes = source
        tokenCount = kept.1
        self.end = end
    }

    /// Another answer from a token's end on: it says the number of the request there.
    private static func vary(_ text: inout [UInt8], from share: Double, turn: Int) {
        let wanted = Int(Double(text.count) * share)
        var index = 0
        while index < wanted { index = Tokens.end(in: text.span, from: index) }
        text.insert(contentsOf: Array((index == 0 ? "#\(turn) " : " #\(turn)").utf8), at: index)
    }

    /// Where an answer goes on that begins with `prefill`; one that begins otherwise goes on after as many bytes.
    private static func end(of prefill: [UInt8], in text: [UInt8]) -> Int {
        var end = min(prefill.count, text.count)
        while end < text.count, text[end] & 0xC0 == 0x80 { end += 1 }
        return end
    }

    private static func firstStop(in text: [UInt8], _ stops: [[UInt8]]) -> Int? {
        var first: Int?
        for stop in stops where !stop.isEmpty && stop.count <= text.count {
            for index in 0...(text.count - stop.count) where text[index] == stop[0] {
                if let first, index >= first { break }
                if text[index..<index + stop.count].elementsEqual(stop) {
                    first = index
                    break
                }
            }
        }
        return first
    }
}

extension ReplyText {
    /// The same with the prompt before it, as `echo` asks for.
    init(prefix: [UInt8], _ text: ReplyText) {
        bytes = prefix + text.bytes
        tokenCount = text.tokenCount
        end = text.end
    }
}
