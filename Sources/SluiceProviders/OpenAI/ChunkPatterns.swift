internal import SluiceCore
internal import SluiceJSON

/// What the chunks of one stream look like: two kinds are remembered (text and reasoning, or two choices that take turns).
struct ChunkPatterns {
    private struct Pattern {
        var template = JSONTemplate()
        var verdict = OpenAIStreamInspector.Verdict.forward
        /// Where the `usage` member begins and ends, counted from the end of the chunk; it stands after the last text.
        var usageFromEnd: (begin: Int, end: Int)?
        /// What is in each hole; `nil` for what is no part of an answer's text.
        var kinds: [ReplyRecord.Kind?] = []
        /// The length of a chunk that says nothing.
        var emptyByteCount = 0
    }

    /// The strings of a chunk that may differ, and what they are.
    private struct Texts {
        var ranges: [Range<Int>] = []
        var kinds: [ReplyRecord.Kind?] = []

        mutating func add(_ value: JSONValue, _ kind: ReplyRecord.Kind?) {
            ranges.append(value.range)
            kinds.append(kind)
        }
    }

    private var last = Pattern()
    private var other = Pattern()
    /// Whether `last` is what the chunk looked at last is like.
    private var isLastCurrent = false
    /// Chunks in a row that looked like nothing that was remembered.
    private var misses = 0
    /// A stream whose chunks are all different (log probabilities) is not worth remembering.
    private static let missesMax = 16

    /// What was said of a chunk that looks like this one; `nil` if there was none.
    mutating func verdict(of data: Span<UInt8>) -> OpenAIStreamInspector.Verdict? {
        isLastCurrent = last.template.matches(data)
        if !isLastCurrent, other.template.matches(data) {
            swap(&last, &other)
            isLastCurrent = true
        }
        if !isLastCurrent { return nil }
        misses = 0
        return last.verdict
    }

    /// For a chunk whose verdict was just given: the bytes to leave out.
    func usageRange(in data: Span<UInt8>) -> Range<Int>? {
        guard isLastCurrent, last.verdict == .withoutUsage, let place = last.usageFromEnd else { return nil }
        return data.count - place.begin..<data.count - place.end
    }

    /// For a chunk whose verdict was just given: whether there is nothing in it.
    func isEmpty(_ data: Span<UInt8>) -> Bool { data.count == last.emptyByteCount }

    /// For a chunk whose verdict was just given: notes what it says.
    func note(_ data: Span<UInt8>, in record: ReplyRecord) {
        for hole in last.kinds.indices {
            guard let kind = last.kinds[hole], let text = last.template.text(hole, of: data) else { continue }
            record.append(kind, escaped: data.extracting(text))
        }
    }

    mutating func learn(_ chunk: JSONValue, _ verdict: OpenAIStreamInspector.Verdict) {
        misses += 1
        if misses > Self.missesMax || chunk.range.lowerBound != 0 { return }
        var texts = Texts()
        var usage: Range<Int>?
        var members = chunk.members
        while let member = members.next() {
            if member.isNamed("choices") {
                var choices = member.value.elements
                while let choice = choices.next() { Self.addTexts(of: choice, to: &texts) }
            } else if member.isNamed("obfuscation"), member.value.isString {
                texts.add(member.value, nil)
            } else if member.isNamed("usage") {
                usage = member.range
            }
        }
        if texts.ranges.isEmpty { return }
        var pattern = Pattern(template: JSONTemplate(chunk.rawBytes, strings: texts.ranges), verdict: verdict)
        pattern.kinds = texts.kinds
        pattern.emptyByteCount = pattern.template.emptyByteCount
        if verdict == .withoutUsage {
            guard let usage, let range = Self.withComma(usage, in: chunk.rawBytes),
                chunk.range.count - range.lowerBound <= pattern.template.tailByteCount
            else { return }
            pattern.usageFromEnd = (chunk.range.count - range.lowerBound, chunk.range.count - range.upperBound)
        }
        other = last
        last = pattern
        isLastCurrent = true
    }

    /// The member with the comma before it; `nil` if it is the first, or if white space stands in between.
    private static func withComma(_ member: Range<Int>, in bytes: Span<UInt8>) -> Range<Int>? {
        guard member.lowerBound > 0, bytes[member.lowerBound - 1] == UInt8(ascii: ",") else { return nil }
        return member.lowerBound - 1..<member.upperBound
    }

    private static func addTexts(of choice: JSONValue, to texts: inout Texts) {
        var members = choice.members
        while let member = members.next() {
            if member.isNamed("text"), member.value.isString { texts.add(member.value, nil) }
            if !member.isNamed("delta") { continue }
            var parts = member.value.members
            while let part = parts.next() {
                if part.value.isString, let kind = ReplyRecord.Kind(of: part) { texts.add(part.value, kind) }
                if part.isNamed("tool_calls") { addArguments(of: part.value, to: &texts) }
            }
        }
    }

    private static func addArguments(of calls: JSONValue, to texts: inout Texts) {
        var elements = calls.elements
        while let call = elements.next() {
            guard let function = call["function"], let arguments = function["arguments"], arguments.isString else {
                continue
            }
            texts.add(arguments, nil)
        }
    }
}
