internal import SluiceCore
internal import SluiceJSON

/// The events of a streamed response, numbered from 0. There is no `[DONE]`: the last event is the terminal one.
struct ResponsesStream {
    private let reply: ResponsesReply
    private var script = Script(capacity: 8192)
    private var number = 0

    private init(_ reply: ResponsesReply) { self.reply = reply }

    static func script(_ reply: ResponsesReply) -> Script {
        var stream = ResponsesStream(reply)
        stream.run()
        return stream.script
    }

    private mutating func run() {
        event("response.created") { [reply] in
            $0.key("response")
            reply.write(.inProgress, &$0)
        }
        event("response.in_progress") { [reply] in
            $0.key("response")
            reply.write(.inProgress, &$0)
        }
        if reply.request.calls.isEmpty { message() } else { calls() }
        if reply.finalStatus == .completed {
            event("response.completed") { [reply] in
                $0.key("response")
                reply.write(.completed, &$0)
            }
        } else {
            event("response.incomplete") { [reply] in
                $0.key("response")
                reply.write(.incomplete, &$0)
            }
        }
        script.endFinish()
    }

    private mutating func message() {
        event("response.output_item.added") { [reply] json in
            json.member("output_index", 0)
            json.key("item")
            reply.writeMessage(isDone: false, &json)
        }
        part("response.content_part.added", isDone: false)
        script.beginContent()
        let text = reply.request.text.bytes
        var at = 0
        while at < text.count {
            let end = Tokens.end(in: text.span, from: at)
            let token = text[at..<end]
            inPart("response.output_text.delta") { json in
                json.key("delta")
                json.string(token.span)
                json.key("logprobs")
                json.array { _ in }
            }
            at = end
        }
        script.endContent()
        script.beginFinish()
        inPart("response.output_text.done") { json in
            json.member("text", text.span)
            json.key("logprobs")
            json.array { _ in }
        }
        part("response.content_part.done", isDone: true)
        event("response.output_item.done") { [reply] json in
            json.member("output_index", 0)
            json.key("item")
            reply.writeMessage(isDone: true, &json)
        }
    }

    private mutating func part(_ name: StaticString, isDone: Bool) {
        inPart(name) { [reply] json in
            json.key("part")
            reply.writePart(isDone: isDone, &json)
        }
    }

    private mutating func inPart(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
        event(name) { [reply] json in
            json.member("item_id", reply.messageID)
            json.member("output_index", 0)
            json.member("content_index", 0)
            members(&json)
        }
    }

    private mutating func calls() {
        for (index, call) in reply.request.calls.enumerated() {
            item("response.output_item.added", index, isDone: false)
            if index == 0 { script.beginContent() }
            for fragment in ArgumentFragments.of(call.arguments) {
                ofCall(
                    call.isCustom ? "response.custom_tool_call_input.delta" : "response.function_call_arguments.delta",
                    index
                ) {
                    $0.member("delta", fragment.span)
                }
            }
            if index == reply.request.calls.count - 1 {
                script.endContent()
                script.beginFinish()
            }
            ofCall(
                call.isCustom ? "response.custom_tool_call_input.done" : "response.function_call_arguments.done", index
            ) {
                $0.member(call.isCustom ? "input" : "arguments", call.arguments.span)
            }
            item("response.output_item.done", index, isDone: true)
        }
    }

    private mutating func item(_ name: StaticString, _ index: Int, isDone: Bool) {
        event(name) { [reply] json in
            json.member("output_index", index)
            json.key("item")
            reply.writeCall(index, isDone: isDone, &json)
        }
    }

    private mutating func ofCall(_ name: StaticString, _ index: Int, _ members: (inout JSONWriter) -> Void) {
        event(name) { [reply] json in
            json.member("item_id", reply.functionID(index))
            json.member("output_index", index)
            members(&json)
        }
    }

    private mutating func event(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
        let number = number
        script.event(name) { buffer in
            var json = JSONWriter(into: buffer)
            json.object { json in
                json.key("type")
                json.string(name)
                json.member("sequence_number", number)
                members(&json)
            }
        }
        self.number += 1
    }
}
