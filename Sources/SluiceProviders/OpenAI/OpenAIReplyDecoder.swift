internal import SluiceCore
internal import SluiceHTTP
package import SluiceJSON

/// Reads chat completions and their chunks, as OpenAI sends them and as those who imitate it do (section 1 of the sheet on
/// OpenAI-compatible providers): the first choice.
package final class OpenAIReplyDecoder: ReplyDecoder {
    /// A tool call of the provider's: its own index and id, where it gives them.
    private struct Call {
        var index: Int?
        var id: String?
    }

    private let reading: ReplyReading
    private var calls: [Call] = []
    private var hasIdentity = false
    private var isDone = false
    private var hasFinish = false
    private var hasFault = false
    /// Bounds what a stream can make us remember.
    private static let callsMax = 1024

    /// - Parameter reading: how the replies differ from OpenAI's own.
    package init(_ reading: ReplyReading = .standard) { self.reading = reading }

    private static let wholeMember: StaticString = "message"

    package func decode(whole document: JSONValue, into sink: any ReplySink) {
        decode(document, member: Self.wholeMember, into: sink)
    }

    package func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        decode(document, member: "delta", into: sink)
    }

    package func done(into sink: any ReplySink) { isDone = true }

    package func end(into sink: any ReplySink) -> Bool { isDone || hasFinish || hasFault }

    private func decode(_ document: JSONValue, member: StaticString, into sink: any ReplySink) {
        if let fault = reading.errors.inBand(document) {
            hasFault = true
            return sink.fault(fault)
        }
        if !hasIdentity { identify(document, into: sink) }
        var choices = document.elements(of: "choices")
        while let choice = choices.next() {
            if (choice["index"]?.int ?? 0) != 0 { continue }
            read(choice, member, into: sink)
            // Some have it there in the last chunk.
            if let usage = reading.usage(choice["usage"]) { sink.usage(usage) }
            break
        }
        if let usage = reading.usage(document["usage"]) ?? reading.usage(document["x_groq"]?["usage"]) {
            sink.usage(usage)
        }
    }

    /// The first chunk may have empty names: Azure's holds annotations only.
    private func identify(_ document: JSONValue, into sink: any ReplySink) {
        let key = reading.idKey
        guard let id = document[key: key.span], id.isString, !id.equals("") else {
            // A later one may say it; the model is worth knowing at once.
            if document["choices"]?.count ?? 0 == 0 { return }
            if reading.takesModel { sink.begin(id: nil, model: text(document["model"])) }
            return
        }
        hasIdentity = true
        sink.origin(created: document["created"]?.int, fingerprint: text(document["system_fingerprint"]))
        if reading.takesModel { return sink.begin(id: text(id), model: text(document["model"])) }
        sink.begin(id: text(id), model: nil)
    }

    private func read(_ choice: JSONValue, _ member: StaticString, into sink: any ReplySink) {
        if let delta = choice[member] { read(delta, into: sink) }
        if let error = choice["error"], error.isObject {
            hasFault = true
            return sink.fault(OpenAIFault.read(error, status: 502))
        }
        guard let reason = choice["finish_reason"], reason.isString, !reason.equals("") else {
            // An answer that came whole needs no reason to be complete.
            if member.utf8CodeUnitCount == Self.wholeMember.utf8CodeUnitCount { hasFinish = true }
            return
        }
        guard let told = reading.finish(reason) else {
            hasFault = true
            return sink.fault(
                ProviderFault(
                    502, type: "server_error", code: reason.string,
                    "The provider ended its answer with \"\(reason.string ?? "")\"."))
        }
        hasFinish = true
        sink.finish(told)
    }

    private func read(_ delta: JSONValue, into sink: any ReplySink) {
        // Some send two of them, saying the same.
        for key in reading.reasoningKeys {
            guard let value = delta[key: key.span] else { continue }
            if let reasoning = ReplyText(value) {
                if reasoning.isEmpty { continue }
                sink.reasoning(reasoning)
                break
            }
            if key == ReplyReading.detailsKey, readDetails(value, into: sink) { break }
        }
        if let content = delta["content"] {
            if let piece = ReplyText(content) {
                if !piece.isEmpty { sink.text(piece) }
            } else {
                readParts(content, into: sink)
            }
        }
        if let refusal = text(delta["refusal"]), !refusal.isEmpty { sink.refusal(refusal) }
        if let calls = delta["tool_calls"] {
            // Spark sends one as an object unless it is told not to.
            if calls.isObject { read(call: calls, into: sink) }
            var elements = calls.elements
            while let call = elements.next() { read(call: call, into: sink) }
        }
        if let call = delta["function_call"], call.isObject { read(function: call, of: call, into: sink) }
    }

    /// Reasoning as a list of texts.
    ///
    /// - Returns: whether there was any.
    private func readDetails(_ details: JSONValue, into sink: any ReplySink) -> Bool {
        var elements = details.elements
        var isAny = false
        while let detail = elements.next() {
            guard let text = text(detail["text"]), !text.isEmpty else { continue }
            sink.reasoning(text)
            isAny = true
        }
        return isAny
    }

    /// Content as parts: Mistral's thinking, and text.
    private func readParts(_ parts: JSONValue, into sink: any ReplySink) {
        var elements = parts.elements
        while let part = elements.next() {
            if let thinking = part["thinking"] {
                if let piece = ReplyText(thinking) { sink.reasoning(piece) }
                var pieces = thinking.elements
                while let piece = pieces.next() {
                    if let text = text(piece["text"]), !text.isEmpty { sink.reasoning(text) }
                }
            } else if let text = text(part["text"]), !text.isEmpty {
                sink.text(text)
            }
        }
    }

    // MARK: Tool calls

    private func read(call: JSONValue, into sink: any ReplySink) {
        guard let function = call["function"] else { return }
        read(function: function, of: call, into: sink)
    }

    private func read(function: JSONValue, of call: JSONValue, into sink: any ReplySink) {
        let place = place(of: call)
        if place == calls.count {
            guard let name = text(function["name"]), !name.isEmpty, place < Self.callsMax else { return }
            calls.append(Call(index: call["index"]?.int, id: call["id"]?.string))
            sink.toolCall(
                place,
                ToolCallStart(
                    id: text(call["id"]), name: name,
                    signature: text(call["extra_content"]?["google"]?["thought_signature"])))
        }
        guard let arguments = function["arguments"] else { return }
        if let fragment = ReplyText(arguments) {
            if !fragment.isEmpty { sink.toolArguments(place, fragment) }
        } else if arguments.isObject {
            sink.toolArguments(place, ReplyText(arguments.rawBytes))
        }
    }

    /// Which call a fragment belongs to: by its index, else by its id, else the last; a new one is one more.
    private func place(of call: JSONValue) -> Int {
        let id = call["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        if let index = call["index"]?.int {
            if let place = calls.lastIndex(where: { $0.index == index }) {
                // Some give every call the same index, but an id of its own.
                if let id, let known = calls[place].id, known != id {
                    return calls.firstIndex { $0.id == id } ?? calls.count
                }
                return place
            }
            return calls.count
        }
        if let id { return calls.firstIndex { $0.id == id } ?? calls.count }
        let isNamed = call["function"]?["name"]?.equals("") == false
        return isNamed || calls.isEmpty ? calls.count : calls.count - 1
    }

    @_lifetime(copy value)
    private func text(_ value: JSONValue?) -> ReplyText? {
        guard let value else { return nil }
        return ReplyText(value)
    }
}

extension FinishReason {
    /// What providers of OpenAI's dialect say (section 2 of the sheet); `nil` for words that mean a failure.
    package init?(provider reason: JSONValue) {
        guard let word = reason.unescapedBytes else {
            self = .stop
            return
        }
        for (words, meaning) in Self.words {
            for candidate in words where word.equals(candidate) {
                self = meaning
                return
            }
        }
        for failure in Self.failures where word.equals(failure) { return nil }
        self = .stop
    }

    private static let words: [([StaticString], FinishReason)] = [
        (["stop", "eos", "eos_token", "end_turn", "stop_sequence", "COMPLETE", "STOP"], .stop),
        (["length", "model_length", "max_tokens", "MAX_TOKENS"], .length),
        (["tool_calls", "function_call", "tool_use", "TOOL_CALL"], .toolCalls),
        (["content_filter", "sensitive", "safety", "guardrail_intervened", "ERROR_TOXIC"], .contentFilter),
    ]
    private static let failures: [StaticString] = ["error", "abort", "network_error", "insufficient_system_resource"]
}
