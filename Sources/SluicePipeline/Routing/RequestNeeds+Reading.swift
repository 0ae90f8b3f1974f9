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
        var media = Media()
        var longest: (completion: Int?, all: Int?, output: Int?) = (nil, nil, nil)
        var (toolCount, isForced) = (0, false)
        var members = root.members
        while let member = members.next() {
            guard let name = Self.names.position(of: member).flatMap(Name.init(rawValue:)) else { continue }
            let value = member.value
            switch name {
            case .messages, .input:
                var items = value.elements
                while let item = items.next() { readContent(item, depth: 0, &media) }
            case .tools, .functions: toolCount += value.count
            case .toolChoice: isForced = Self.forces(value)
            case .responseFormat: if let type = value["type"] { readFormat(type: type) }
            case .text: if let type = value["format"]?["type"] { readFormat(type: type) }
            case .completionMax: longest.completion = value.int
            case .tokensMax: longest.all = value.int
            case .outputMax: longest.output = value.int
            }
        }
        if toolCount > 0 { abilities.insert(.tools) }
        if toolCount > 0, isForced { abilities.insert(.forcedTools) }
        inputTokens = max(0, root.rawBytes.count - media.byteCount) / Self.bytesPerToken + media.count * Self.mediaTokens
        outputTokens = (longest.completion ?? longest.all ?? longest.output).map { max(0, $0) }
    }

    /// Members that tell, in the order of `names`. The longest answer goes by three.
    private enum Name: Int {
        case messages, input, tools, functions, toolChoice, responseFormat, text, completionMax, tokensMax, outputMax
    }

    private static let names: JSONNames = [
        "messages", "input", "tools", "functions", "tool_choice", "response_format", "text", "max_completion_tokens",
        "max_tokens", "max_output_tokens",
    ]

    private struct Media {
        var byteCount = 0
        var count = 0
    }

    /// Whether a `tool_choice` asks for a tool: a word (OpenAI), the tool itself (OpenAI), or a type with or without a tool (Anthropic).
    private static func forces(_ choice: JSONValue) -> Bool {
        if choice.equals("required") { return true }
        guard choice.isObject, let type = choice["type"] else { return false }
        return !type.equals("auto") && !type.equals("none")
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
