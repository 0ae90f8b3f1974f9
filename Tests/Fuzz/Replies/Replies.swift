import FuzzSupport
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders

/// What a provider answers, read in every dialect: as a whole reply, as an error, as vectors, and as a stream however it is cut;
/// written in every dialect that applications speak.
func check(_ input: Input) {
    var input = input
    let cuts = input.cuts()
    let tape = JSONTape()
    let isJSON = (try? tape.scan(input.bytes.span)) != nil
    for dialect in ProviderDialect.allCases {
        let chat = dialect.chat
        if isJSON {
            checkWhole(input, chat, tape)
            checkOthers(input, chat, tape)
        } else {
            _ = chat.fault(ResponseHead(500, fields: HeaderFields()), nil, text: input.bytes.span)
            checkStream(input, chat, cuts)
        }
    }
}

private let echoText = Array(#"{"model":"m","input":"hi","tools":[]}"#.utf8)

private func echo() -> ResponsesEcho {
    let tape = JSONTape()
    do { try tape.scan(echoText.span) } catch { fatalError("\(error)") }
    return ResponsesEcho(of: tape.root(over: echoText.span))
}

private let identity = ReplyIdentity(requestID: "req_1", created: 1_764_000_000, model: "m", seed: 1)
private let keptMax = 4096

// MARK: Whole

private func checkWhole(_ input: Input, _ chat: any ChatDialect, _ tape: JSONTape) {
    let reply = ReplyAssembly()
    chat.makeDecoder().decode(whole: tape.root(over: input.bytes.span), into: reply)
    checkBodies(reply)
    for writer in writers() {
        chat.makeDecoder().decode(whole: tape.root(over: input.bytes.span), into: writer)
        if writer.fault == nil { writer.finishStream() }
        checkEvents(writer.output)
    }
}

private func checkBodies(_ reply: ReplyAssembly) {
    if reply.fault != nil { return }
    var name = identity
    for write in [
        { ChatReplyBody.write(reply, &name, into: $0) }, { MessagesReplyBody.write(reply, &name, into: $0) },
        { ResponsesReplyBody.write(reply, &name, echo(), into: $0) },
    ] as [(ByteBuffer) -> Void] {
        let body = ByteBuffer()
        write(body)
        checkJSON(body.span)
    }
}

private func checkOthers(_ input: Input, _ chat: any ChatDialect, _ tape: JSONTape) {
    let root = tape.root(over: input.bytes.span)
    for status in [200, 400, 429, 500] as [Status] {
        let fault = chat.fault(ResponseHead(status, fields: HeaderFields()), root, text: input.bytes.span)
        expect((100...599).contains(fault.status.code), "status \(fault.status.code)")
    }
    guard let embeddings = chat.embeddings else { return }
    for asBase64 in [false, true] {
        let body = ByteBuffer()
        if embeddings.decode(root, model: "m", asBase64: asBase64, estimate: Usage(), into: body) != nil { checkJSON(body.span) }
    }
    _ = embeddings.fault(in: root)
}

// MARK: Streams

private func writers() -> [any StreamWriter] {
    [
        ChatStreamWriter(identity, showsUsage: true), MessagesStreamWriter(identity),
        ResponsesStreamWriter(identity, echo(), byteCountMax: keptMax),
    ]
}

private func checkStream(_ input: Input, _ chat: any ChatDialect, _ cuts: [Int]) {
    for (one, other) in zip(writers(), writers()) {
        feed(input.bytes, [input.bytes.count], chat, one)
        feed(input.bytes, cuts, chat, other)
        expect(one.output.text == other.output.text, "cut otherwise: \(one.output.text) became \(other.output.text)")
        checkEvents(one.output)
    }
    let reply = ReplyAssembly()
    feed(input.bytes, cuts, chat, reply)
    checkBodies(reply)
}

private func feed(_ bytes: [UInt8], _ cuts: [Int], _ chat: any ChatDialect, _ sink: any ReplySink) {
    let decoder = chat.makeDecoder()
    let tape = JSONTape()
    var parser = EventParser(eventBytesMax: 1 << 20)
    let writer = sink as? any StreamWriter
    var start = 0
    for end in cuts {
        let piece = bytes.span.extracting(start..<end)
        var offset = 0
        while let event = try? parser.next(in: piece, at: &offset) {
            if event.kind != .message { continue }
            let data = parser.data(of: event, in: piece)
            if data.hasPrefix("[DONE]") {
                decoder.done(into: sink)
            } else if (try? tape.scan(data)) != nil {
                decoder.decode(event: tape.root(over: data), named: parser.name(of: event, in: piece), into: sink)
            }
        }
        start = end
    }
    if decoder.end(into: sink), let writer, writer.fault == nil { writer.finishStream() }
}

// MARK: What was written

private func checkJSON(_ text: Span<UInt8>) {
    do { try JSONTape().scan(text) } catch {
        if error.kind != .tooDeep { fatalError("no JSON: \(error): \(String(decoding: text))") }
    }
}

/// Every event of a stream is one, with JSON in it.
private func checkEvents(_ output: ByteBuffer) {
    var parser = EventParser(eventBytesMax: 1 << 30)
    var offset = 0
    while let event = try? parser.next(in: output.span, at: &offset) {
        if event.kind != .message { continue }
        let data = parser.data(of: event, in: output.span)
        if !data.hasPrefix("[DONE]") { checkJSON(data) }
    }
    expect(!parser.isInsideEvent, "an event that does not end: \(output.text)")
}
