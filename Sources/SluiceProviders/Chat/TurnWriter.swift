internal import SluiceCore
internal import SluiceJSON

/// Writes the messages of a conversation for providers that want a text in each, and want the roles to alternate: what one role
/// says in a row becomes one message, and where somebody's turn is missing a placeholder stands in.
struct TurnWriter {
    enum Role: Sendable { case system, user, assistant, tool }

    /// How the provider names the members of a message.
    struct Names: Sendable {
        let role: StaticString
        let content: StaticString
        /// What the role of a tool's result is called.
        let tool: StaticString
    }

    var json: JSONWriter
    private let names: Names
    /// The role of the last message, open or not; `nil` at the beginning, and after the system's.
    private(set) var last: Role?
    /// The string of the last message's content is open.
    private var isOpen = false
    /// Nothing but white space in it yet.
    private var isBlank = true
    private(set) var messageCount = 0
    /// Messages were joined, or placeholders added.
    private(set) var hasRepaired = false

    /// What stands for a message without a text: providers refuse empty ones (the SDK of Baidu does the same).
    private static let placeholder: StaticString = "/"
    /// What a user says who says nothing (baidu sheet, section 3.4).
    static let leading: StaticString = "(continue)"
    static let trailing: StaticString = "\u{7EE7}\u{7EED}"
    /// What an assistant says who says nothing.
    static let acknowledgement: StaticString = "OK."

    init(_ json: JSONWriter, _ names: Names) {
        self.json = json
        self.names = names
    }

    // MARK: Turns

    /// Goes on with the role's open message, or begins one.
    mutating func resume(_ role: Role) {
        if isOpen, last == role {
            if !isBlank { json.appendToString("\n\n".utf8Span.span) }
            hasRepaired = true
            return
        }
        begin(role)
    }

    /// Begins a message of its own.
    mutating func begin(_ role: Role) {
        close()
        json.beginObject()
        json.key(names.role)
        switch role {
        case .system: json.string("system")
        case .user: json.string("user")
        case .assistant: json.string("assistant")
        case .tool: json.string(names.tool)
        }
        last = role
        messageCount += 1
    }

    /// Makes room for a turn of this role: somebody else must have spoken before.
    mutating func alternate(to role: Role) {
        switch role {
        case .assistant:
            if last == nil || last == .system { say(.user, Self.leading) }
            if last == .assistant, !isOpen { say(.user, Self.trailing) }
        case .user: if last == .tool || last == .user && !isOpen { say(.assistant, Self.acknowledgement) }
        case .system, .tool: break
        }
    }

    /// A placeholder's turn.
    mutating func say(_ role: Role, _ text: StaticString) {
        begin(role)
        openText()
        append(text)
        close()
        hasRepaired = true
    }

    // MARK: Text

    /// Opens the string of the message's content, if it is not open.
    mutating func openText() {
        if isOpen { return }
        json.key(names.content)
        json.beginString()
        isOpen = true
        isBlank = true
    }

    mutating func append(_ text: JSONValue) {
        guard let escaped = text.escapedBytes else { return }
        if isBlank { isBlank = Self.isBlank(escaped) }
        json.appendToString(contentsOf: text)
    }

    mutating func append(_ text: StaticString) { append(String(describing: text)) }

    mutating func append(_ text: String) {
        if isBlank { isBlank = Self.isBlank(text.utf8Span.span) }
        json.appendToString(text.utf8Span.span)
    }

    private static func isBlank(_ text: Span<UInt8>) -> Bool {
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "\\"), index + 1 < text.count {
                // An escape of white space.
                let next = text[index + 1]
                if next != UInt8(ascii: "n"), next != UInt8(ascii: "r"), next != UInt8(ascii: "t") { return false }
                index += 2
            } else {
                if text[index] != ASCII.space { return false }
                index += 1
            }
        }
        return true
    }

    /// Ends the message whose text is open.
    ///
    /// - Parameter mayBeEmpty: the message says something beside its text.
    mutating func close(mayBeEmpty: Bool = false, _ members: (inout JSONWriter) -> Void = { _ in }) {
        if !isOpen { return }
        if isBlank, !mayBeEmpty { json.appendToString(String(describing: Self.placeholder).utf8Span.span) }
        json.endString()
        isOpen = false
        members(&json)
        json.endObject()
    }

    // MARK: Messages

    /// Adds the text of a message to the open string; what is no text is lost.
    mutating func append(contentOf message: borrowing ChatMessage, at index: Int, _ report: inout FieldReport) {
        guard let content = message.content else { return }
        if content.isString { return append(content) }
        var parts = content.elements
        var place = 0
        while let value = parts.next() {
            let part = ChatPart(value)
            if let text = part.text { append(text) } else { report.lose(Self.path(part, at: place, of: index)) }
            place += 1
        }
    }

    /// The name of a part that is lost.
    static func path(_ part: borrowing ChatPart, at place: Int, of index: Int) -> String {
        let path = "messages[\(index)].content[\(place)]"
        switch part.kind {
        case .image: return path + ".image_url"
        case .audio: return path + ".input_audio"
        case .file: return path + ".file"
        case .text, .refusal, .unknown: return path
        }
    }
}

extension ChatMessage {
    /// Reports what beside content and calls a message says, for dialects that have no place for it.
    func reportOthers(at index: Int, _ report: inout FieldReport) {
        if let name = value["name"], name.isString, role == .user || role == .assistant {
            report.lose("messages[\(index)].name")
        }
        if let audio = value["audio"], audio.isObject { report.lose("messages[\(index)].audio") }
    }
}

extension ChatRequest {
    /// Refuses what no dialect of one answer a request can do.
    func refuseSeveralAnswers() throws(EncodingRefusal) {
        if let count = self["n"], count.int != 1 {
            throw EncodingRefusal("n", "The provider gives one answer a request here: send the request n times.")
        }
    }
}
