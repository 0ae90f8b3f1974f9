internal import SluiceCore
internal import SluiceJSON
internal import SluiceTLS

/// Writes the one frame of a request (iflytek sheet, section 3.3).
struct SparkEncoder {
    private let model: SparkModel
    private let capabilities: Capabilities
    var report: FieldReport
    private var json: JSONWriter

    private static let spoken: [StaticString] = [
        "messages", "model", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "tools",
        "tool_choice", "parallel_tool_calls", "user", "n", "patch_id", "top_k", "auditing", "chat_id",
    ]
    private static let userCharactersMax = 32

    init(_ model: SparkModel, _ capabilities: Capabilities, _ report: FieldReport, into body: ByteBuffer) {
        self.model = model
        self.capabilities = capabilities
        self.report = report
        json = JSONWriter(into: body)
    }

    mutating func write(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        try request.refuseSeveralAnswers()
        json.beginObject()
        writeHeader(request)
        json.key("parameter")
        json.beginObject()
        json.key("chat")
        writeParameters(request)
        json.endObject()
        json.key("payload")
        json.beginObject()
        writeMessages(request)
        writeFunctions(request)
        json.endObject()
        json.endObject()
        var others = OtherFields(of: request.root, but: Self.spoken)
        while let member = others.next(&report) { if let name = member.key.string { report.lose(name) } }
    }

    private mutating func writeHeader(_ request: borrowing ChatRequest) {
        json.key("header")
        json.beginObject()
        json.key("app_id")
        json.string(request.applicationID ?? "")
        if let user = request["user"]?.string, !user.isEmpty {
            json.key("uid")
            json.string(Self.shortened(user))
        }
        if let patch = request["patch_id"] {
            json.key("patch_id")
            if patch.isArray { json.value(patch) } else { json.array { $0.value(patch) } }
        }
        json.endObject()
    }

    /// The same user is the same again.
    private static func shortened(_ user: String) -> String {
        if user.unicodeScalars.count <= userCharactersMax { return user }
        var hash = SHA256()
        hash.update(user.utf8Span.span)
        return String(hash.finish().hexadecimal.prefix(userCharactersMax))
    }

    private mutating func writeParameters(_ request: borrowing ChatRequest) {
        json.beginObject()
        json.key("domain")
        json.string(model.domain)
        if let value = request["temperature"], let wanted = value.double {
            if capabilities.sampling {
                // From above 0 to 1.
                let temperature = min(1, max(0.01, wanted))
                json.key("temperature")
                if temperature == wanted { json.value(value) } else { json.double(temperature) }
                if temperature != wanted { report.adapt("temperature: \(temperature)") }
            } else {
                report.lose("temperature")
            }
        }
        if let value = request["top_k"], let wanted = value.int {
            json.key("top_k")
            json.int(min(6, max(1, wanted)))
        }
        if let wanted = request.outputTokensMax {
            let most = min(model.outputTokensMax ?? .max, capabilities.outputTokensMax ?? .max)
            json.key("max_tokens")
            json.int(max(1, min(wanted, most)))
            if wanted > most { report.adapt("max_tokens: \(most)") }
        }
        for name in ["auditing", "chat_id"] as [StaticString] {
            if let value = request[name], value.isString {
                json.key(name)
                json.value(value)
            }
        }
        json.endObject()
    }

    // MARK: Messages

    /// The system's first and only where the model heeds it; the last is the user's. What has no role here is told in words.
    private mutating func writeMessages(_ request: borrowing ChatRequest) {
        json.key("message")
        json.beginObject()
        json.key("text")
        json.beginArray()
        var turns = TurnWriter(json, TurnWriter.Names(role: "role", content: "content", tool: "user"))
        var names: [(id: String, name: String)] = []
        let hasSystem = model.hasSystem && capabilities.systemRole
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            message.reportOthers(at: index, &report)
            switch message.role {
            case .system where hasSystem && (turns.last == nil || turns.last == .system): turns.resume(.system)
            case .system, .user, .unknown, .tool:
                turns.alternate(to: .user)
                turns.resume(.user)
            case .assistant:
                turns.alternate(to: .assistant)
                turns.resume(.assistant)
            }
            turns.openText()
            if message.role == .tool {
                writeResult(message, of: names, &turns)
            } else {
                turns.append(contentOf: message, at: index, &report)
            }
            if message.role == .assistant, message.hasToolCalls { writeCalls(of: message, &turns, &names) }
            index += 1
        }
        turns.close()
        if turns.last != .user { turns.say(.user, TurnWriter.trailing) }
        if turns.hasRepaired { report.adapt("messages: made to alternate") }
        json = turns.json
        json.endArray()
        json.endObject()
    }

    /// There is no role for it: the assistant says what it called (unverified, as is how well models understand it).
    private mutating func writeCalls(
        of message: borrowing ChatMessage, _ turns: inout TurnWriter, _ names: inout [(id: String, name: String)]
    ) {
        report.adapt("messages: calls of tools in words")
        var isFirst = (message.content?.isString == true && message.content?.equals("") == false) ? false : true
        var calls = message.toolCalls
        while let value = calls.next() {
            let call = ChatToolCall(value)
            guard let name = call.name?.string else { continue }
            if let id = call.id?.string { names.append((id, name)) }
            turns.append((isFirst ? "" : "\n") + "Call of the function \(name): ")
            isFirst = false
            if let arguments = call.arguments, arguments.isString, !arguments.equals("") {
                turns.append(arguments)
            } else {
                turns.append("{}")
            }
        }
    }

    /// A result, as a line of the user's that names the function.
    private mutating func writeResult(
        _ message: borrowing ChatMessage, of names: [(id: String, name: String)], _ turns: inout TurnWriter
    ) {
        report.adapt("messages: calls of tools in words")
        let id = message.toolCallID?.string
        let name = names.last { $0.id == id }?.name ?? message.value["name"]?.string
        turns.append(name.map { "Result of the function \($0): " } ?? "Result of the function: ")
        turns.append(message.plainText ?? "")
    }

    // MARK: Functions

    private mutating func writeFunctions(_ request: borrowing ChatRequest) {
        if !request.hasTools { return }
        if !capabilities.tools { return report.lose("tools") }
        switch request.toolChoice {
        case .none: return report.adapt("tool_choice: no functions")
        case .required, .function: report.lose("tool_choice")
        case .unspecified, .automatic: break
        }
        json.key("functions")
        json.beginObject()
        json.key("text")
        json.beginArray()
        var writer = json
        _ = request.forEachFunction(&report) { tool in tool.writeFunction(&writer) }
        json = writer
        json.endArray()
        json.endObject()
    }
}
