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
        var limits = Limits()
        var (toolCount, isForced) = (0, false)
        var members = root.members
        while let member = members.next() {
            let value = member.value
            if member.isNamed("messages") || member.isNamed("input") {
                var items = value.elements
                while let item = items.next() { readContent(item, depth: 0, &media) }
            } else if member.isNamed("tools") || member.isNamed("functions") {
                toolCount += value.count
            } else if member.isNamed("tool_choice") {
                isForced = Self.forces(value)
            } else if member.isNamed("response_format") {
                if let type = value["type"] { readFormat(type: type) }
            } else if member.isNamed("text") {
                if let type = value["format"]?["type"] { readFormat(type: type) }
            } else {
                limits.read(member)
            }
        }
        if toolCount > 0 { abilities.insert(.tools) }
        if toolCount > 0, isForced { abilities.insert(.forcedTools) }
        inputTokens = max(0, root.rawBytes.count - media.byteCount) / Self.bytesPerToken + media.count * Self.mediaTokens
        outputTokens = (limits.completion ?? limits.all ?? limits.output).map { max(0, $0) }
    }

    /// The names that the longest answer goes by.
    private struct Limits {
        var completion: Int?
        var all: Int?
        var output: Int?

        mutating func read(_ member: JSONMember) {
            if member.isNamed("max_completion_tokens") {
                completion = member.value.int
            } else if member.isNamed("max_tokens") {
                all = member.value.int
            } else if member.isNamed("max_output_tokens") {
                output = member.value.int
            }
        }
    }

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
