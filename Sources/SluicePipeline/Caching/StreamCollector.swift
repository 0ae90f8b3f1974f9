internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders

/// Makes the whole reply out of a stream that goes by, in the form in which it is kept.
///
/// What cannot be told whole as it was told in events makes it give up: nothing is kept then.
final class StreamCollector {
    private let form: AnswerForm
    private let tape: JSONTape
    private let byteCountMax: Int
    private var parser: EventParser
    private let decoder: (any ReplyDecoder)?
    private let reply = ReplyAssembly()
    private let completion: CompletionText?
    /// A response comes whole in the last event.
    private var response: ByteBuffer?
    private(set) var hasGivenUp = false
    private var textBlockCount = 0

    /// - Parameter tape: nothing on it outlives a call, and nobody else uses it.
    init(_ form: AnswerForm, byteCountMax: Int, eventBytesMax: Int, tape: JSONTape) {
        self.form = form
        self.tape = tape
        self.byteCountMax = byteCountMax
        parser = EventParser(eventBytesMax: eventBytesMax)
        decoder = form.makeDecoder()
        completion = form == .completion ? CompletionText() : nil
    }

    func received(_ bytes: Span<UInt8>) {
        if hasGivenUp { return }
        // Out of the object while it is used: what it hands out is borrowed from it.
        var parser = EventParser()
        swap(&parser, &self.parser)
        defer { swap(&parser, &self.parser) }
        var offset = 0
        do throws(EventParser.EventTooLong) {
            while let event = try parser.next(in: bytes, at: &offset) {
                if event.kind != .message { continue }
                read(parser.data(of: event, in: bytes), named: parser.name(of: event, in: bytes))
                if hasGivenUp { return }
            }
        } catch {
            hasGivenUp = true
        }
        if reply.keptByteCount > byteCountMax || completion.map({ $0.byteCount > byteCountMax }) == true {
            hasGivenUp = true
        }
    }

    private func read(_ data: Span<UInt8>, named name: Span<UInt8>) {
        if data.hasPrefix("[DONE]") {
            decoder?.done(into: reply)
            completion?.isDone = true
            return
        }
        let tape = tape
        do throws(JSONError) {
            try tape.scan(data)
        } catch {
            hasGivenUp = true
            return
        }
        let document = tape.root(over: data)
        if !isPlain(document) {
            hasGivenUp = true
            return
        }
        if form == .response {
            if document["type"]?.equals("response.completed") == true, let value = document["response"] {
                response = ByteBuffer(copying: value.rawBytes)
            }
        } else if let completion {
            hasGivenUp = !completion.read(document)
        } else {
            decoder?.decode(event: document, named: name, into: reply)
        }
    }

    // MARK: What would be lost

    private func isPlain(_ document: JSONValue) -> Bool {
        switch form {
        case .chat: isPlainChunk(document)
        case .message: isPlainEvent(document)
        case .platformChat, .response, .completion, .embeddings: true
        }
    }

    private func isPlainChunk(_ document: JSONValue) -> Bool {
        var choices = document.elements(of: "choices")
        while let choice = choices.next() {
            if (choice["index"]?.int ?? 0) != 0 || !AnswerCheck.isNothing(choice["logprobs"]) { return false }
            if let delta = choice["delta"], !AnswerCheck.isPlain(delta) { return false }
        }
        return true
    }

    private func isPlainEvent(_ document: JSONValue) -> Bool {
        if let block = document["content_block"] {
            if block["type"]?.equals("text") != true { return false }
            textBlockCount += 1
            return textBlockCount == 1
        }
        guard let delta = document["delta"] else { return true }
        if let type = delta["type"], !type.equals("text_delta") { return false }
        return delta["stop_reason"]?.equals("stop_sequence") != true
    }

    // MARK: The whole

    /// - Parameters:
    ///   - usage: what the reply cost, where the stream did not say it to the application.
    ///   - identity: for what the provider did not name.
    /// - Returns: `nil` if the stream had no complete answer that may be kept.
    func whole(_ usage: Usage?, _ identity: ReplyIdentity) -> ByteBuffer? {
        if hasGivenUp || parser.isInsideEvent { return nil }
        if form == .response { return response }
        if let completion { return completion.whole(usage) }
        guard let decoder, decoder.end(into: reply), reply.fault == nil, reply.calls.isEmpty, reply.images.isEmpty,
            reply.blocks.isEmpty, reply.finishReason == .stop || reply.finishReason == .length
        else { return nil }
        if reply.usage == nil, let usage { reply.usage(usage) }
        var identity = identity
        let buffer = ByteBuffer(capacity: reply.byteCount + 384)
        if form == .message {
            MessagesReplyBody.write(reply, &identity, into: buffer)
        } else {
            ChatReplyBody.write(reply, &identity, into: buffer)
        }
        return buffer
    }
}
