internal import SluiceCore
internal import SluiceJSON

/// What the provider says, as output items.
extension ResponsesStreamWriter {
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
            kind == .text ? "response.output_text.delta" : "response.refusal.delta", id, outputIndex: index,
            "content_index",
            place, hasLogprobs: kind == .text)
        open = .message(part, kind, parts: parts)
        event("response.content_part.added")
        output.append(part.place.span)
        output.append(",\"part\":" as StaticString)
        ResponseItem.append(kind, "".utf8Span.span, to: output)
        end()
        return part
    }

    func endPart(_ part: ResponsePart, _ kind: ResponseItem.Part, _ parts: ByteBuffer) {
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

    func endReasoning(_ part: ResponsePart, _ sealed: ByteBuffer?) {
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

    // MARK: Pictures

    package func image(_ image: ReplyImage) {
        if fault != nil { return }
        close()
        closeCalls()
        let id = identity.callID("ig_")
        let index = items.count
        add { ResponseItem.appendImage(id: id, base64: nil, to: output) }
        let base64 = ByteBuffer(capacity: image.base64.byteCount)
        image.base64.append(escapedTo: base64)
        let item = ByteBuffer(capacity: base64.count + 128)
        ResponseItem.appendImage(id: id, base64: base64.span, to: item)
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
        keep(names.count)
        let outputIndex = items.count
        add {
            ResponseItem.appendCall(
                id: id, names: names.span, arguments: "".utf8Span.span, status: "in_progress", to: output)
        }
        calls.append(
            ResponseCall(
                part: ResponsePart("response.function_call_arguments.delta", id, outputIndex: outputIndex), names: names
            ))
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

    func end(_ index: Int, _ status: StaticString) {
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
}
