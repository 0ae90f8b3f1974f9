internal import SluiceCore
internal import SluiceJSON

/// What the chunks of one stream look like: two kinds are remembered (text and reasoning, or two choices that take turns).
struct ChunkPatterns {
    private struct Pattern {
        var template = JSONTemplate()
        var verdict = OpenAIStreamInspector.Verdict.forward
        /// Where the `usage` member begins and ends, counted from the end of the chunk; it stands after the last text.
        var usageFromEnd: (begin: Int, end: Int)?
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

    mutating func learn(_ chunk: JSONValue, _ verdict: OpenAIStreamInspector.Verdict) {
        misses += 1
        if misses > Self.missesMax || chunk.range.lowerBound != 0 { return }
        var strings: [Range<Int>] = []
        var usage: Range<Int>?
        var members = chunk.members
        while let member = members.next() {
            if member.isNamed("choices") {
                var choices = member.value.elements
                while let choice = choices.next() { Self.addTexts(of: choice, to: &strings) }
            } else if member.isNamed("obfuscation"), member.value.isString {
                strings.append(member.value.range)
            } else if member.isNamed("usage") {
                usage = member.range
            }
        }
        if strings.isEmpty { return }
        var pattern = Pattern(template: JSONTemplate(chunk.rawBytes, strings: strings), verdict: verdict)
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

    private static let texts: [StaticString] = ["content", "reasoning_content", "reasoning", "refusal"]

    private static func addTexts(of choice: JSONValue, to strings: inout [Range<Int>]) {
        var members = choice.members
        while let member = members.next() {
            if member.isNamed("text"), member.value.isString { strings.append(member.value.range) }
            if !member.isNamed("delta") { continue }
            var parts = member.value.members
            while let part = parts.next() {
                for name in texts where part.isNamed(name) && part.value.isString { strings.append(part.value.range) }
                if part.isNamed("tool_calls") { addArguments(of: part.value, to: &strings) }
            }
        }
    }

    private static func addArguments(of calls: JSONValue, to strings: inout [Range<Int>]) {
        var elements = calls.elements
        while let call = elements.next() {
            guard let function = call["function"], let arguments = function["arguments"], arguments.isString else {
                continue
            }
            strings.append(arguments.range)
        }
    }
}
