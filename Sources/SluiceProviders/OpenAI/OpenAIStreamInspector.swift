internal import SluiceCore
package import SluiceJSON

/// Watches a stream in OpenAI's dialect go by: what it cost, whether it ended properly, and what the application did not ask for.
///
/// End of stream (section 6 and 11 of the OpenAI sheet): chat completions end with `[DONE]`, and a finish reason without it is
/// complete too; responses, images and audio end with an event whose type says so.
package struct OpenAIStreamInspector: StreamInspector {
    package typealias Verdict = StreamVerdict

    package static let ending: StaticString = "a finish reason or [DONE]"

    private enum Ending { case chat, typed, unknown }

    private let ending: Ending
    private let showsUsage: Bool
    package private(set) var usage: Usage?
    package private(set) var model: String?
    package private(set) var eventCount = 0
    package private(set) var malformedCount = 0
    package private(set) var hasError = false
    /// Whether `[DONE]` came.
    package private(set) var isDone = false
    package private(set) var blankCount = 0
    package private(set) var hasBegun: Bool
    package var record: ReplyRecord?
    private var hasFinish = false
    /// Whether the event looked at last says what the stream has cost so far.
    private var hasReadUsage = false
    private var patterns = ChunkPatterns()
    private let remembersChunks: Bool

    /// - Parameter showsUsage: the application asked for usage itself; otherwise what we asked for is taken out again.
    /// - Parameter remembersChunks: chunks that look like one that was scanned are not scanned again: the tape does not hold them.
    package init(_ operation: OpenAIOperation, showsUsage: Bool, remembersChunks: Bool = true) {
        self.remembersChunks = remembersChunks
        ending =
            switch operation {
            case .chatCompletions, .completions: .chat
            case .responses, .images, .audioSpeech, .audioTranscription: .typed
            default: .unknown
            }
        self.showsUsage = showsUsage || ending != .chat
        // What is not known has no beginning to wait for.
        hasBegun = ending == .unknown
    }

    /// Whether the stream may end here: what has been passed on is a whole answer, or an honest error.
    package var isComplete: Bool { isDone || hasFinish || hasError || ending == .unknown }

    /// Looks at one event's data.
    package mutating func inspect(_ data: Span<UInt8>, with tape: JSONTape) -> Verdict {
        if let known = patterns.verdict(of: data) {
            eventCount += 1
            if patterns.isEmpty(data) { blankCount += 1 }
            if let record { patterns.note(data, in: record) }
            return known
        }
        if data.hasPrefix("[DONE]") {
            isDone = true
            return .forward
        }
        do throws(JSONError) {
            try tape.scan(data)
        } catch {
            malformedCount += 1
            return .malformed
        }
        eventCount += 1
        let root = tape.root(over: data)
        let hadFinish = hasFinish
        hasReadUsage = false
        let verdict = inspect(root)
        noteContent(root, verdict)
        // What only adds text is remembered: the next chunks are likely to look the same.
        if remembersChunks, ending == .chat, hasBegun, verdict == .forward || verdict == .withoutUsage, hadFinish == hasFinish,
            !hasReadUsage
        {
            patterns.learn(root, verdict)
        }
        return verdict
    }

    /// Where the `usage` member stands in a chunk that is to go on without it.
    package func usageRange(in data: Span<UInt8>) -> Range<Int>? { patterns.usageRange(in: data) }

    package func fault(in event: JSONValue) -> ProviderFault? { OpenAIFault.inBand(event) }

    private mutating func noteContent(_ event: JSONValue, _ verdict: Verdict) {
        if verdict == .error { return }
        let isNoticed =
            switch ending {
            case .chat: ChunkContent.isNoticed(event)
            case .typed: ResponsesContent.isNoticed(event)
            case .unknown: true
            }
        if isNoticed { hasBegun = true } else { blankCount += 1 }
        if let record, ending == .chat { ChunkContent.note(event, in: record) }
    }

    private mutating func inspect(_ event: JSONValue) -> Verdict {
        guard event.isObject else { return .forward }
        if ending == .typed { return inspectTyped(event) }
        var choices = false
        var hasUsage = false
        var members = event.members
        while let member = members.next() {
            if member.isNamed("choices") {
                choices = readChoices(member.value)
            } else if member.isNamed("usage") {
                hasUsage = true
                if let read = Usage(openAI: member.value) {
                    usage = read
                    hasReadUsage = true
                }
            } else if model == nil, member.isNamed("model") {
                model = member.value.string
            } else if member.isNamed("error"), !member.value.isNull {
                hasError = true
                return .error
            }
        }
        if !hasUsage || showsUsage { return .forward }
        return choices ? .withoutUsage : .drop
    }

    /// - Returns: whether there is a choice at all; the chunk that carries the usage has none.
    private mutating func readChoices(_ choices: JSONValue) -> Bool {
        var elements = choices.elements
        var isAny = false
        while let choice = elements.next() {
            isAny = true
            if let reason = choice["finish_reason"], !reason.isNull { hasFinish = true }
        }
        return isAny
    }

    private mutating func inspectTyped(_ event: JSONValue) -> Verdict {
        guard let type = event["type"]?.unescapedBytes else {
            if let error = event["error"], !error.isNull { hasError = true }
            return hasError ? .error : .forward
        }
        if type.equals("error") || type.equals("response.failed") {
            hasError = true
            return .error
        }
        if type.equals("response.completed") || type.equals("response.incomplete") {
            hasFinish = true
            if let read = Usage(openAI: event["response"]?["usage"]) { usage = read }
            model = event["response"]?["model"]?.string
        } else if type.hasSuffix(".completed") || type.hasSuffix(".done"), !type.hasPrefix("response.") {
            hasFinish = true
            if let read = Usage(openAI: event["usage"]) { usage = read }
        }
        return .forward
    }
}

extension Span where Element == UInt8 {
    fileprivate func hasSuffix(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        return count >= length && extracting(count - length..<count).equals(text)
    }
}
