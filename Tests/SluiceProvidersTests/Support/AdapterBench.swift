import SluiceConfig
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders

/// An adapter at work, without sockets: what the pipeline does with a request and a reply.
struct AdapterBench {
    let adaptation: Adaptation
    let model: String

    init(_ adapter: Adapter, model: String) {
        adaptation = Adaptation(adapter, query: adapter.query)
        self.model = model
    }

    /// A request as it goes out.
    struct Sent {
        var body: String
        var report: FieldReport
        var answerTool: String?
    }

    func send(_ request: String, operation: Adapter.Operation = .chat) throws -> Sent {
        let tape = JSONTape()
        var body = ByteBuffer(request)
        try tape.scan(body.span)
        var report = FieldReport()
        var adaptation = ChatAdaptation(
            self.adaptation.capabilities.row(for: model), takesChoices: !self.adaptation.normalises)
        if operation == .chat, let changed = try adaptation.adapt(tape.root(over: body.span), &report) {
            body = changed
            try tape.scan(body.span)
        }
        let root = tape.root(over: body.span)
        let isStream = root["stream"]?.bool ?? false
        var edits = JSONEdits()
        self.adaptation.request.apply(
            to: root, model: model, operation: operation, isStream: isStream, &edits, &report)
        let result = ByteBuffer(capacity: 256)
        edits.splices(over: root).append(to: result, from: root.rawBytes)
        return Sent(body: result.text, report: report, answerTool: adaptation.answerTool)
    }

    private func decoder(_ stops: [String], _ answerTool: String?) -> any ReplyDecoder {
        var filters: [ReplyFilter] = []
        if adaptation.reply.hasThinkTags { filters.append(ThinkTagFilter()) }
        if adaptation.reply.includesStop, !stops.isEmpty { filters.append(StopFilter(stops)) }
        if let answerTool { filters.append(AnswerToolFilter(answerTool)) }
        let decoder = OpenAIDialect(adaptation.reply).makeDecoder()
        return filters.isEmpty ? decoder : FilteredReplyDecoder(decoder, through: filters)
    }

    private var identity: ReplyIdentity { ReplyIdentity(requestID: "r", created: 1, model: model, seed: 1) }

    /// What becomes of a whole reply.
    func whole(_ reply: String, stops: [String] = [], answerTool: String? = nil) throws -> (
        body: String, fault: ProviderFault?
    ) {
        let tape = JSONTape()
        let bytes = ByteBuffer(reply)
        try tape.scan(bytes.span)
        let assembly = ReplyAssembly()
        decoder(stops, answerTool).decode(whole: tape.root(over: bytes.span), into: assembly)
        let body = ByteBuffer(capacity: 256)
        var identity = identity
        ChatReplyBody.write(assembly, &identity, into: body)
        return (body.text, assembly.fault)
    }

    /// What becomes of a stream.
    struct Emitted: Equatable {
        var text: String
        var fault: ProviderFault?
        var isComplete: Bool
    }

    /// - Parameter cut: how long each piece is in which the stream arrives, in bytes.
    func stream(
        _ stream: String, showsUsage: Bool, cut: Int = .max, stops: [String] = [], answerTool: String? = nil
    ) -> Emitted {
        let writer = ChatStreamWriter(identity, showsUsage: showsUsage)
        let decoder = decoder(stops, answerTool)
        let tape = JSONTape()
        var parser = EventParser(eventBytesMax: 1 << 20)
        let bytes = Array(stream.utf8)
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, cut < bytes.count ? start + cut : bytes.count)
            let piece = Array(bytes[start..<end])
            start = end
            var offset = 0
            while let event = try? parser.next(in: piece.span, at: &offset) {
                if event.kind != .message || writer.fault != nil { continue }
                let data = parser.data(of: event, in: piece.span)
                if data.hasPrefix("[DONE]") {
                    decoder.done(into: writer)
                } else if (try? tape.scan(data)) != nil {
                    decoder.decode(
                        event: tape.root(over: data), named: parser.name(of: event, in: piece.span), into: writer)
                }
            }
        }
        let isComplete = decoder.end(into: writer)
        if isComplete, writer.fault == nil { writer.finishStream() }
        return Emitted(text: writer.output.text, fault: writer.fault, isComplete: isComplete)
    }

    /// What an error's reply means.
    func fault(_ body: String, status: Status) throws -> ProviderFault {
        let tape = JSONTape()
        let bytes = ByteBuffer(body)
        let isJSON = (try? tape.scan(bytes.span)) != nil
        let head = ResponseHead(status, fields: HeaderFields())
        let dialect = OpenAIDialect(adaptation.reply)
        return isJSON
            ? dialect.fault(head, tape.root(over: bytes.span), text: bytes.span)
            : dialect.fault(head, nil, text: bytes.span)
    }
}
