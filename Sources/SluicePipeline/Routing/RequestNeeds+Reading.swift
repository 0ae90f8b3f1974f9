internal import SluiceCore
internal import SluiceDownstream
internal import SluiceJSON
internal import SluicePolicy

/// Finds out what a request needs of a model, in any of the dialects that arrive here.
extension RequestNeeds {
    /// About four bytes of UTF-8 are a token.
    private static let bytesPerToken = 4
    /// What an image, a sound or a file is taken to cost, however long its data is.
    private static let mediaTokens = 1000

    /// - Parameter tape: holds the request's document, if it is JSON.
    init(_ request: IncomingRequest, _ context: RequestContext, tape: JSONTape) {
        self.init()
        guard case .json(let body) = request.body else {
            inputTokens = context.exchange.receivedByteCount / Self.bytesPerToken
            return
        }
        self.init(tape.root(over: body.span))
    }

    init(_ root: JSONValue) {
        self.init()
        readTools(root)
        readFormat(root)
        var media = Media()
        var messages = root.elements(of: "messages")
        while let message = messages.next() { readContent(message, depth: 0, &media) }
        var input = root.elements(of: "input")
        while let item = input.next() { readContent(item, depth: 0, &media) }
        inputTokens = max(0, root.rawBytes.count - media.byteCount) / Self.bytesPerToken + media.count * Self.mediaTokens
        let limit = root["max_completion_tokens"]?.int ?? root["max_tokens"]?.int ?? root["max_output_tokens"]?.int
        outputTokens = limit.map { max(0, $0) }
    }

    private struct Media {
        var byteCount = 0
        var count = 0
    }

    private mutating func readTools(_ root: JSONValue) {
        if (root["tools"]?.count ?? 0) + (root["functions"]?.count ?? 0) > 0 { abilities.insert(.tools) }
        guard abilities.contains(.tools), let choice = root["tool_choice"] else { return }
        // A word (OpenAI), the tool itself (OpenAI), or a type with or without a tool (Anthropic).
        if choice.equals("required") { abilities.insert(.forcedTools) }
        guard choice.isObject, let type = choice["type"] else { return }
        if !type.equals("auto"), !type.equals("none") { abilities.insert(.forcedTools) }
    }

    private mutating func readFormat(_ root: JSONValue) {
        if let type = root["response_format"]?["type"] { readFormat(type: type) }
        if let type = root["text"]?["format"]?["type"] { readFormat(type: type) }
    }

    private mutating func readFormat(type: JSONValue) {
        if type.equals("json_schema") { abilities.insert(.jsonSchema) }
        if type.equals("json_object") { abilities.insert(.jsonObject) }
    }

    /// The parts of a message, and of what is in a tool's result.
    private mutating func readContent(_ message: JSONValue, depth: Int, _ media: inout Media) {
        var parts = message.elements(of: "content")
        while let part = parts.next() {
            guard let ability = Self.ability(part) else {
                if depth == 0 { readContent(part, depth: 1, &media) }
                continue
            }
            abilities.insert(ability)
            media.count += 1
            media.byteCount += part.range.count
        }
    }

    private static func ability(_ part: JSONValue) -> Abilities? {
        guard let type = part["type"] else { return nil }
        if type.equals("image_url") || type.equals("image") || type.equals("input_image") { return .images }
        if type.equals("input_audio") { return .audio }
        if type.equals("file") || type.equals("input_file") || type.equals("document") { return .files }
        return nil
    }
}
