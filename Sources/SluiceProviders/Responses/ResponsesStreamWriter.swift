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

    var identity: ReplyIdentity
    private let echo: ResponsesEcho
    private let byteCountMax: Int
    /// What has been kept so far.
    private var byteCount = 0
    package private(set) var model: String?
    private var response: ResponseObject?
    private var sequenceNumber = 0
    /// Each output item as JSON, once it is done.
    var items: [ByteBuffer?] = []
    var open = OpenItem.none
    var calls: [ResponseCall] = []
    private var finishReason: FinishReason?
    let tape = JSONTape()
    static let callsMax = 1024

    /// The item that text is added to. Calls are not among them: several may be under way.
    enum OpenItem {
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
    func event(_ name: StaticString) {
        output.append("event: " as StaticString)
        output.append(name)
        output.append("\ndata: {\"type\":\"" as StaticString)
        output.append(name)
        output.append("\",\"sequence_number\":" as StaticString)
        output.append(decimal: sequenceNumber)
        sequenceNumber += 1
    }

    @inline(__always) func end() { output.append("}\n\n" as StaticString) }

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

    func place(_ index: Int) {
        output.append(",\"output_index\":" as StaticString)
        output.append(decimal: index)
    }

    /// An item begins; `write` appends it.
    func add(_ write: () -> Void) {
        hasContent = true
        begin()
        event("response.output_item.added")
        place(items.count)
        output.append(",\"item\":" as StaticString)
        write()
        end()
        items.append(nil)
    }

    func done(_ index: Int, _ item: ByteBuffer) {
        event("response.output_item.done")
        place(index)
        output.append(",\"item\":" as StaticString)
        output.append(item.span)
        end()
        items[index] = item
        keep(item.count)
    }

    func keep(_ count: Int) {
        byteCount += count
        if byteCount > byteCountMax, fault == nil {
            fault = ProviderFault(
                502, type: "server_error", code: "reply_too_long", "The answer is longer than \(byteCountMax) bytes.",
                isRetryable: false)
        }
    }

    /// What is kept of text that has just been passed on: it comes again in the events that end its part.
    @inline(__always) func pass(_ text: ReplyText, _ part: ResponsePart) {
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
    func passNothing(_ part: ResponsePart) {
        let nothing = "{}".utf8Span
        pass(ReplyText(nothing.span), part)
    }

    // MARK: The end

    func close(_ status: StaticString = "completed") {
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
