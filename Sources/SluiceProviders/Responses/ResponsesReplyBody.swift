package import SluiceCore
internal import SluiceJSON

/// Writes a whole response (section 11 of the OpenAI sheet).
package enum ResponsesReplyBody {
    package static func write(
        _ reply: ReplyAssembly, _ identity: inout ReplyIdentity, _ echo: ResponsesEcho, into buffer: ByteBuffer
    ) {
        var response = ResponseObject(
            id: identity.responseID, created: identity.created, model: reply.model ?? identity.model, echo: echo)
        response.end(reply.finishReason)
        response.usage = reply.usage
        let status: StaticString = response.status == .incomplete ? "incomplete" : "completed"
        let output = ByteBuffer(capacity: reply.byteCount + 256)
        writeReasoning(reply, &identity, output)
        writeMessage(reply, reply.calls.isEmpty ? status : "completed", &identity, output)
        for image in reply.images { write(image, &identity, output) }
        let tape = JSONTape()
        for call in reply.calls {
            write(call, ResponseItem.isWhole(call.arguments, tape) ? "completed" : status, &identity, output)
        }
        response.write(output: output.span, into: buffer)
    }

    private static func separate(_ output: ByteBuffer) {
        if !output.isEmpty { output.append(UInt8(ascii: ",")) }
    }

    // MARK: Reasoning

    /// An item a block; what was shown without a seal goes with the first that shows nothing.
    private static func writeReasoning(_ reply: ReplyAssembly, _ identity: inout ReplyIdentity, _ output: ByteBuffer) {
        var shown = reply.blocks.contains { $0.text != nil } ? nil : reply.reasoning
        if let summary = shown, reply.blocks.isEmpty { return write(summary, nil, &identity, output) }
        for block in reply.blocks {
            let sealed = ByteBuffer(capacity: block.seal.utf8.count + 64)
            let kind = block.text == nil ? SealedReasoning.Kind.data : .text
            SealedReasoning.append(kind, block.format, ReplyText(block.seal.utf8Span.span), to: sealed)
            if let text = block.text {
                let summary = ByteBuffer(capacity: text.utf8.count)
                ReplyText(text.utf8Span.span).append(escapedTo: summary)
                write(summary, sealed, &identity, output)
            } else {
                write(shown, sealed, &identity, output)
                shown = nil
            }
        }
    }

    private static func write(
        _ summary: ByteBuffer?, _ sealed: ByteBuffer?, _ identity: inout ReplyIdentity, _ output: ByteBuffer
    ) {
        separate(output)
        let isEmpty = summary?.isEmpty ?? true
        ResponseItem.appendReasoning(
            id: identity.callID("rs_"), summary: isEmpty ? nil : summary, sealed: sealed, to: output)
    }

    // MARK: The message and the calls

    private static func writeMessage(
        _ reply: ReplyAssembly, _ status: StaticString, _ identity: inout ReplyIdentity, _ output: ByteBuffer
    ) {
        let parts = ByteBuffer(capacity: (reply.text?.count ?? 0) + 128)
        if let text = reply.text, !text.isEmpty { ResponseItem.append(.text, text.span, to: parts) }
        if let refusal = reply.refusal, !refusal.isEmpty {
            separate(parts)
            ResponseItem.append(.refusal, refusal.span, to: parts)
        }
        if parts.isEmpty { return }
        separate(output)
        ResponseItem.appendMessage(id: identity.callID("msg_"), status: status, parts: parts.span, to: output)
    }

    /// - Parameter url: a data URL.
    private static func write(_ url: ByteBuffer, _ identity: inout ReplyIdentity, _ output: ByteBuffer) {
        separate(output)
        let start = url.span.firstIndex(of: UInt8(ascii: ","), from: 0).map { $0 + 1 } ?? 0
        ResponseItem.appendImage(id: identity.callID("ig_"), base64: url.span.extracting(start...), to: output)
    }

    private static func write(
        _ call: ReplyAssembly.Call, _ status: StaticString, _ identity: inout ReplyIdentity, _ output: ByteBuffer
    ) {
        if let signature = call.signature {
            let sealed = ByteBuffer(capacity: signature.utf8.count + 64)
            SealedReasoning.append(.call, ReasoningDetails.google, ReplyText(signature.utf8Span.span), to: sealed)
            write(nil, sealed, &identity, output)
        }
        separate(output)
        let id = identity.callID("fc_")
        let callID = (call.id ?? "").utf8Span
        let name = call.name.utf8Span
        let names = ResponseItem.names(callID: ReplyText(callID.span), name: ReplyText(name.span), &identity)
        let arguments = call.arguments.isEmpty ? ByteBuffer("{}") : call.arguments
        ResponseItem.appendCall(id: id, names: names.span, arguments: arguments.span, status: status, to: output)
    }
}
