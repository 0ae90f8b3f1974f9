internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders

/// What one chunk of a stream costs, passed as it is and taken from one dialect to another: 64 chunks of a word each.
func measureDialects(_ measure: Measure) {
    let chunks = 64
    let chat = ByteBuffer()
    let messages = ByteBuffer()
    for index in 0..<chunks {
        chat.append(
            "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word \(index)\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
        )
        messages.append(
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word \(index)\"}}\n\n"
        )
    }
    let identity = ReplyIdentity(requestID: "req_1", created: 1_764_000_000, model: "m", seed: 1)
    let tape = JSONTape()

    var openAI = OpenAIStreamInspector(.chatCompletions, showsUsage: true)
    measure("stream/OpenAI as it is, 64", bytes: chat.count) {
        forEachEvent(chat.span) { data, _ in _ = openAI.inspect(data, with: tape) }
    }
    var recording = OpenAIStreamInspector(.chatCompletions, showsUsage: true)
    measure("stream/OpenAI as it is, taken down, 64", bytes: chat.count) {
        recording.record = ReplyRecord(byteCountMax: 1 << 20)
        forEachEvent(chat.span) { data, _ in _ = recording.inspect(data, with: tape) }
    }
    var anthropic = AnthropicStreamInspector()
    measure("stream/Messages as it is, 64", bytes: messages.count) {
        forEachEvent(messages.span) { data, _ in _ = anthropic.inspect(data, with: tape) }
    }
    translate(
        "stream/Messages to chat, 64", messages, AnthropicDialect(), ChatStreamWriter(identity, showsUsage: false))
    translate("stream/chat to Messages, 64", chat, OpenAIDialect(), MessagesStreamWriter(identity))
    translate("stream/chat to responses, 64", chat, OpenAIDialect(), responses())
    translate("stream/chat to chat, 64", chat, OpenAIDialect(), ChatStreamWriter(identity, showsUsage: false))

    func responses() -> ResponsesStreamWriter {
        let request = ByteBuffer("{}")
        try? tape.scan(request.span)
        return ResponsesStreamWriter(identity, ResponsesEcho(of: tape.root(over: request.span)), byteCountMax: .max)
    }

    func translate(_ name: String, _ stream: ByteBuffer, _ dialect: any ChatDialect, _ writer: any StreamWriter) {
        let decoder = dialect.makeDecoder()
        measure(name, bytes: stream.count) {
            forEachEvent(stream.span) { data, name in
                if (try? tape.scan(data)) == nil { return }
                decoder.decode(event: tape.root(over: data), named: name, into: writer)
            }
            keep(writer.output.count)
            writer.output.removeAll()
        }
    }
}

private func forEachEvent(_ bytes: Span<UInt8>, _ body: (Span<UInt8>, Span<UInt8>) -> Void) {
    var parser = EventParser()
    var offset = 0
    while let event = try? parser.next(in: bytes, at: &offset) {
        body(parser.data(of: event, in: bytes), parser.name(of: event, in: bytes))
    }
}
