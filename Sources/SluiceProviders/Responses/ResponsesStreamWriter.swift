package import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// Writes a reply as a stream of responses events (section 11 of the OpenAI sheet).
///
/// Events at the end of a part, of an item and of the response repeat what has been said, so that all of it is kept, up to a bound.
package final class ResponsesStreamWriter: StreamWriter {
    package let output = ByteBuffer(capacity: 1024)
    package private(set) var hasContent = false
    package private(set) var fault: ProviderFault?
    package private(set) var usage: Usage?
    package private(set) var textByteCount = 0

    private var identity: ReplyIdentity
    private let echo: ResponsesEcho
    private let byteCountMax: Int
    /// What has been kept so far.
    private var byteCount = 0
    private var model: String?
    private var response: ResponseObject?
    private var sequenceNumber = 0
    /// Each output item as JSON, once it is done.
    private var items: [ByteBuffer?] = []
    private var open = OpenItem.none
    private var calls: [ResponseCall] = []
    private var finishReason: FinishReason?
    private let tape = JSONTape()
    private static let callsMax = 1024

    /// The item that text is added to. Calls are not among them: several may be under way.
    private enum OpenItem {
        case none
        case reasoning(ResponsePart)
        case message(ResponsePart, ResponseItem.Part, parts: ByteBuffer)
    }

    /// - Parameter byteCountMax: the longest answer that is kept, in bytes; a longer one is a fault.
    package init(_ identity: ReplyIdentity, _ echo: ResponsesEcho, byteCountMax: Int) {
        self.identity = identity
        self.echo = echo
        self.byteCountMax = byteCountMax
    }

    // MARK: Events

    /// The beginning of an event, up to its own members.
    private func event(_ name: StaticString) {
        output.append("event: " as StaticString)
        output.append(name)
        output.append("\ndata: {\"type\":\"" as StaticString)
        output.append(name)
        output.append("\",\"sequence_number\":" as StaticString)
        output.append(decimal: sequenceNumber)
        sequenceNumber += 1
    }

    @inline(__always) private func end() { output.append("}\n\n" as StaticString) }

    private func lifecycle(_ name: StaticString, _ response: ResponseObject) {
        event(name)
        output.append(",\"response\":" as StaticString)
        let done = ByteBuffer(capacity: byteCount + 16)
        for case let item? in items {
            if !done.isEmpty { done.append(UInt8(ascii: ",")) }
            done.append(item.span)
        }
        response.write(output: done.span, into: output)
        end()
    }

    @discardableResult private func begin() -> ResponseObject {
        if let response { return response }
        let response = ResponseObject(
            id: identity.responseID, created: identity.created, model: model ?? identity.model, echo: echo)
        self.response = response
        lifecycle("response.created", response)
        lifecycle("response.in_progress", response)
        return response
    }

    private func place(_ index: Int) {
        output.append(",\"output_index\":" as StaticString)
        output.append(decimal: index)
    }

    /// An item begins; `write` appends it.
    private func add(_ write: () -> Void) {
        hasContent = true
        begin()
        event("response.output_item.added")
        place(items.count)
        output.append(",\"item\":" as StaticString)
        write()
        end()
        items.append(nil)
    }

    private func done(_ index: Int, _ item: ByteBuffer) {
        event("response.output_item.done")
        place(index)
        output.append(",\"item\":" as StaticString)
        output.append(item.span)
        end()
        items[index] = item
        keep(item.count)
    }

    private func keep(_ count: Int) {
        byteCount += count
        if byteCount > byteCountMax, fault == nil {
            fault = ProviderFault(
                502, type: "server_error", code: "reply_too_long", "The answer is longer than \(byteCountMax) bytes.",
                isRetryable: false)
        }
    }

    /// What is kept of text that has just been passed on: it comes again in the events that end its part.
    @inline(__always) private func pass(_ text: ReplyText, _ part: ResponsePart) {
        output.append(part.delta.span)
        output.append(decimal: sequenceNumber)
        sequenceNumber += 1
        output.append(",\"delta\":\"" as StaticString)
        text.append(escapedTo: output)
        output.append("\"}\n\n" as StaticString)
        let before = part.text.count
        text.append(escapedTo: part.text)
        textByteCount += part.text.count - before
        keep(part.text.count - before)
    }

    /// What a call without arguments has.
    private func passNothing(_ part: ResponsePart) {
        let nothing = "{}".utf8Span
        pass(ReplyText(nothing.span), part)
    }

    // MARK: Text and refusals

    package func text(_ text: ReplyText) { say(text, .text) }
    package func refusal(_ text: ReplyText) { say(text, .refusal) }

    private func say(_ text: ReplyText, _ kind: ResponseItem.Part) {
        if text.isEmpty || fault != nil { return }
        if case .message(let part, let open, _) = open, open == kind { return pass(text, part) }
        pass(text, startPart(kind))
    }

    private func startPart(_ kind: ResponseItem.Part) -> ResponsePart {
        let id: String
        let parts: ByteBuffer
        let index: Int
        var place = 0
        if case .message(let part, let kind, let others) = open {
            endPart(part, kind, others)
            (id, parts, index, place) = (part.id, others, part.outputIndex, part.contentIndex + 1)
        } else {
            close()
            closeCalls()
            (id, parts, index) = (identity.callID("msg_"), ByteBuffer(capacity: 256), items.count)
            add { ResponseItem.appendMessage(id: id, status: "in_progress", parts: "".utf8Span.span, to: output) }
        }
        let part = ResponsePart(
            kind == .text ? "response.output_text.delta" : "response.refusal.delta", id, outputIndex: index, "content_index",
            place, hasLogprobs: kind == .text)
        open = .message(part, kind, parts: parts)
        event("response.content_part.added")
        output.append(part.place.span)
        output.append(",\"part\":" as StaticString)
        ResponseItem.append(kind, "".utf8Span.span, to: output)
        end()
        return part
    }

    private func endPart(_ part: ResponsePart, _ kind: ResponseItem.Part, _ parts: ByteBuffer) {
        event(kind == .text ? "response.output_text.done" : "response.refusal.done")
        output.append(part.place.span)
        if kind == .text { output.append(",\"logprobs\":[]" as StaticString) }
        output.append(",\"" as StaticString)
        output.append(kind.member)
        output.append("\":\"" as StaticString)
        output.append(part.text.span)
        output.append(UInt8(ascii: "\""))
        end()
        event("response.content_part.done")
        output.append(part.place.span)
        output.append(",\"part\":" as StaticString)
        ResponseItem.append(kind, part.text.span, to: output)
        end()
        if !parts.isEmpty { parts.append(UInt8(ascii: ",")) }
        ResponseItem.append(kind, part.text.span, to: parts)
    }

    // MARK: Reasoning

    package func reasoning(_ text: ReplyText) {
        if text.isEmpty || fault != nil { return }
        if case .reasoning(let part) = open { return pass(text, part) }
        close()
        closeCalls()
        let id = identity.callID("rs_")
        let index = items.count
        add { ResponseItem.appendReasoning(id: id, summary: nil, sealed: nil, to: output) }
        let part = ResponsePart("response.reasoning_summary_text.delta", id, outputIndex: index, "summary_index", 0)
        open = .reasoning(part)
        event("response.reasoning_summary_part.added")
        output.append(part.place.span)
        output.append(",\"part\":" as StaticString)
        ResponseItem.appendSummary("".utf8Span.span, to: output)
        end()
        pass(text, part)
    }

    package func reasoningBlock(_ block: ReasoningBlock) {
        if fault != nil { return }
        let sealed = ByteBuffer(capacity: block.seal.byteCount + 64)
        SealedReasoning.append(block.text == nil ? .data : .text, block.format, block.seal, to: sealed)
        if case .reasoning(let part) = open {
            open = .none
            endReasoning(part, sealed)
        } else {
            addSealed(sealed)
        }
    }

    private func endReasoning(_ part: ResponsePart, _ sealed: ByteBuffer?) {
        event("response.reasoning_summary_text.done")
        output.append(part.place.span)
        output.append(",\"text\":\"" as StaticString)
        output.append(part.text.span)
        output.append(UInt8(ascii: "\""))
        end()
        event("response.reasoning_summary_part.done")
        output.append(part.place.span)
        output.append(",\"part\":" as StaticString)
        ResponseItem.appendSummary(part.text.span, to: output)
        end()
        let item = ByteBuffer(capacity: part.text.count + (sealed?.count ?? 0) + 128)
        ResponseItem.appendReasoning(id: part.id, summary: part.text, sealed: sealed, to: item)
        done(part.outputIndex, item)
    }

    /// An item of reasoning that shows nothing.
    private func addSealed(_ sealed: ByteBuffer) {
        close()
        closeCalls()
        let id = identity.callID("rs_")
        let index = items.count
        add { ResponseItem.appendReasoning(id: id, summary: nil, sealed: nil, to: output) }
        let item = ByteBuffer(capacity: sealed.count + 96)
        ResponseItem.appendReasoning(id: id, summary: nil, sealed: sealed, to: item)
        done(index, item)
    }

    // MARK: Calls

    package func toolCall(_ index: Int, _ call: ToolCallStart) {
        if calls.count >= Self.callsMax || fault != nil { return }
        close()
        closeCalls()
        if let signature = call.signature {
            let sealed = ByteBuffer(capacity: signature.byteCount + 64)
            SealedReasoning.append(.call, ReasoningDetails.google, signature, to: sealed)
            addSealed(sealed)
        }
        let id = identity.callID("fc_")
        let names = ResponseItem.names(callID: call.id, name: call.name, &identity)
        let outputIndex = items.count
        add {
            ResponseItem.appendCall(
                id: id, names: names.span, arguments: "".utf8Span.span, status: "in_progress", to: output)
        }
        calls.append(
            ResponseCall(
                part: ResponsePart("response.function_call_arguments.delta", id, outputIndex: outputIndex), names: names))
    }

    package func toolArguments(_ index: Int, _ fragment: ReplyText) {
        guard !fragment.isEmpty, fault == nil, calls.indices.contains(index), calls[index].isOpen else { return }
        pass(fragment, calls[index].part)
    }

    /// Ends the last call once something follows it, if its arguments are complete. Providers may send pieces of several calls in
    /// turn: one that is not complete by then stays open to the end.
    private func closeCalls() {
        guard let last = calls.indices.last, !calls[last].isFollowed else { return }
        calls[last].isFollowed = true
        if ResponseItem.isWhole(calls[last].part.text, tape) { end(last, "completed") }
    }

    private func end(_ index: Int, _ status: StaticString) {
        let part = calls[index].part
        let names = calls[index].names
        if part.text.isEmpty { passNothing(part) }
        calls[index].isOpen = false
        event("response.function_call_arguments.done")
        output.append(part.place.span)
        output.append(",\"arguments\":\"" as StaticString)
        output.append(part.text.span)
        output.append(UInt8(ascii: "\""))
        end()
        let item = ByteBuffer(capacity: part.text.count + 160)
        ResponseItem.appendCall(id: part.id, names: names.span, arguments: part.text.span, status: status, to: item)
        done(part.outputIndex, item)
    }

    // MARK: The end

    private func close(_ status: StaticString = "completed") {
        let item = open
        open = .none
        switch item {
        case .none: return
        case .reasoning(let part): endReasoning(part, nil)
        case .message(let part, let kind, let parts):
            endPart(part, kind, parts)
            let item = ByteBuffer(capacity: parts.count + 128)
            ResponseItem.appendMessage(id: part.id, status: status, parts: parts.span, to: item)
            done(part.outputIndex, item)
        }
    }

    package func begin(id: ReplyText?, model: ReplyText?) { if self.model == nil { self.model = model?.string } }

    package func finish(_ reason: FinishReason) {
        hasContent = true
        finishReason = reason
    }

    package func usage(_ usage: Usage) { self.usage = usage }
    package func fault(_ fault: ProviderFault) { if self.fault == nil { self.fault = fault } }

    package func finishStream() {
        hasContent = true
        var response = begin()
        response.end(finishReason)
        response.usage = usage
        let isIncomplete = response.status == .incomplete
        close(isIncomplete ? "incomplete" : "completed")
        for index in calls.indices where calls[index].isOpen {
            end(index, isIncomplete && !ResponseItem.isWhole(calls[index].part.text, tape) ? "incomplete" : "completed")
        }
        lifecycle(isIncomplete ? "response.incomplete" : "response.completed", response)
    }

    /// Ends a stream that cannot be completed, as OpenAI does: with an error, and with the response that failed.
    package func fail(code: String, message: String, param: String?) {
        hasContent = true
        var response = begin()
        event("error")
        output.append(",\"code\":" as StaticString)
        var json = JSONWriter(into: output)
        json.string(code)
        output.append(",\"message\":" as StaticString)
        json = JSONWriter(into: output)
        json.string(message)
        output.append(",\"param\":" as StaticString)
        json = JSONWriter(into: output)
        if let param { json.string(param) } else { json.null() }
        end()
        response.status = .failed
        response.error = (code, message)
        response.usage = usage
        lifecycle("response.failed", response)
    }
}

/// A part of an item that is being written.
struct ResponsePart {
    /// The item's.
    let id: String
    let outputIndex: Int
    /// Where it is in the item.
    let contentIndex: Int
    /// The members that say where it is, each with a comma before it.
    let place: ByteBuffer
    /// What every event that adds to it begins with, up to its sequence number.
    let delta: ByteBuffer
    /// All that was said: the inside of a JSON string.
    let text = ByteBuffer(capacity: 256)

    /// - Parameter indexName: the member that tells which part of its item it is, if it is one of several.
    init(
        _ event: StaticString, _ id: String, outputIndex: Int, _ indexName: StaticString? = nil, _ contentIndex: Int = 0,
        hasLogprobs: Bool = false
    ) {
        self.id = id
        self.outputIndex = outputIndex
        self.contentIndex = contentIndex
        place = ByteBuffer(capacity: 96)
        place.append(",\"item_id\":\"" as StaticString)
        place.append(id)
        place.append("\",\"output_index\":" as StaticString)
        place.append(decimal: outputIndex)
        if let indexName {
            place.append(",\"" as StaticString)
            place.append(indexName)
            place.append("\":" as StaticString)
            place.append(decimal: contentIndex)
        }
        delta = ByteBuffer(capacity: 224)
        delta.append("event: " as StaticString)
        delta.append(event)
        delta.append("\ndata: {\"type\":\"" as StaticString)
        delta.append(event)
        delta.append(UInt8(ascii: "\""))
        delta.append(place.span)
        if hasLogprobs { delta.append(",\"logprobs\":[]" as StaticString) }
        delta.append(",\"sequence_number\":" as StaticString)
    }
}

/// A call that is being written.
private struct ResponseCall {
    let part: ResponsePart
    /// Its members `call_id` and `name`.
    let names: ByteBuffer
    var isOpen = true
    /// Another item has begun since.
    var isFollowed = false
}
