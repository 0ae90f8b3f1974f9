internal import SluiceCore

/// Tells apart the reasoning that stands between `<think>` and `</think>` at the beginning of a text.
///
/// Of the text only as much is held back as may still become a tag.
package final class ThinkTagFilter: ReplyFilter {
    private enum Place { case beginning, reasoning, afterReasoning, answer }

    private var place = Place.beginning
    private let held = ByteBuffer(capacity: 64)
    private static let opening: StaticString = "<think>"
    private static let closing: StaticString = "</think>"
    /// A text that begins with more blanks has no tag: some models never stop to say them.
    private static let blanksMax = 64

    package override init() {}

    package override func text(_ text: ReplyText) {
        if place == .answer { return super.text(text) }
        text.append(plainTo: held)
        advance()
    }

    private func advance() {
        if place == .beginning { readBeginning() }
        if place == .reasoning { readReasoning() }
        if place == .afterReasoning { readLineEnds() }
        if place == .answer { flush(held.count) { self.next?.text($0) } }
    }

    private func readBeginning() {
        let held = held
        var start = 0
        while start < held.count, held[start] == ASCII.lineFeed || held[start] == ASCII.space { start += 1 }
        let rest = held.span.extracting(start..<held.count)
        if rest.hasPrefix(Self.opening) {
            held.consume(start + Self.opening.utf8CodeUnitCount)
            place = .reasoning
        } else if start > Self.blanksMax || !Self.opening.begins(with: rest) {
            place = .answer
        }
    }

    private func readReasoning() {
        let held = held
        if let found = held.span.firstRange(of: Self.closing) {
            flush(found) { self.next?.reasoning($0) }
            held.consume(Self.closing.utf8CodeUnitCount)
            place = .afterReasoning
            return
        }
        // What may be the beginning of the closing tag waits.
        var kept = min(held.count, Self.closing.utf8CodeUnitCount - 1)
        while kept > 0, !Self.closing.begins(with: held.span.extracting(held.count - kept..<held.count)) { kept -= 1 }
        flush(held.span.characterBoundary(held.count - kept)) { self.next?.reasoning($0) }
    }

    private func readLineEnds() {
        while !held.isEmpty, held[0] == ASCII.lineFeed { held.consume(1) }
        if !held.isEmpty { place = .answer }
    }

    private func flush(_ byteCount: Int, _ send: (ReplyText) -> Void) {
        let held = held
        if byteCount > 0 { send(ReplyText(held.span.extracting(0..<byteCount))) }
        held.consume(byteCount)
    }

    private func flushAll() {
        switch place {
        case .beginning, .answer: flush(held.count) { self.next?.text($0) }
        case .reasoning: flush(held.count) { self.next?.reasoning($0) }
        case .afterReasoning: held.removeAll()
        }
    }

    package override func finish(_ reason: FinishReason) {
        flushAll()
        super.finish(reason)
    }

    package override func toolCall(_ index: Int, _ call: ToolCallStart) {
        flushAll()
        super.toolCall(index, call)
    }

    package override func end() { flushAll() }
}

/// Takes the stop sequence away from the end of a text, where a platform leaves it there.
///
/// As many bytes are held back as the longest sequence has.
package final class StopFilter: ReplyFilter {
    private let stops: [[UInt8]]
    private let byteCountMax: Int
    private let held = ByteBuffer(capacity: 64)

    /// - Parameter stops: not empty, none of them empty.
    package init(_ stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }
        byteCountMax = stops.map(\.utf8.count).max() ?? 0
    }

    package override func text(_ text: ReplyText) {
        let held = held
        text.append(plainTo: held)
        flush(held.span.characterBoundary(max(0, held.count - byteCountMax)))
    }

    private func flush(_ byteCount: Int) {
        let held = held
        if byteCount > 0 { next?.text(ReplyText(held.span.extracting(0..<byteCount))) }
        held.consume(byteCount)
    }

    package override func toolCall(_ index: Int, _ call: ToolCallStart) {
        flush(held.count)
        super.toolCall(index, call)
    }

    package override func finish(_ reason: FinishReason) {
        let held = held
        if reason == .stop, let stop = stops.first(where: { held.span.hasSuffix($0) }) {
            held.truncate(to: held.count - stop.count)
        }
        flush(held.count)
        super.finish(reason)
    }

    package override func end() { flush(held.count) }
}

extension StaticString {
    /// Whether the bytes are a beginning of it.
    fileprivate func begins(with bytes: Span<UInt8>) -> Bool {
        if bytes.count > utf8CodeUnitCount { return false }
        for index in bytes.indices {
            let expected = unsafe utf8Start[index]
            if bytes[index] != expected { return false }
        }
        return true
    }
}

extension Span where Element == UInt8 {
    fileprivate func firstRange(of text: StaticString) -> Int? {
        var start = 0
        while start + text.utf8CodeUnitCount <= count {
            if extracting(start..<count).hasPrefix(text) { return start }
            start += 1
        }
        return nil
    }

    fileprivate func hasSuffix(_ bytes: [UInt8]) -> Bool {
        if bytes.count > count { return false }
        for index in bytes.indices where self[count - bytes.count + index] != bytes[index] { return false }
        return true
    }

    /// The last place at or before `offset` where a character of UTF-8 begins.
    fileprivate func characterBoundary(_ offset: Int) -> Int {
        var offset = offset
        while offset > 0, offset < count, self[offset] & 0xC0 == 0x80 { offset -= 1 }
        return offset
    }
}
