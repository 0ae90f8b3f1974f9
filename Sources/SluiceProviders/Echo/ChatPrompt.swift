package import SluiceJSON

/// The text of a chat request, for models that answer with it and for estimates.
package enum ChatPrompt {
    /// What the last user message says; the last message's text if there is no user message.
    package static func lastUserText(_ request: JSONValue) -> String {
        guard let messages = request["messages"] else { return request["prompt"]?.string ?? "" }
        var last = ""
        var lastOfUser: String?
        var elements = messages.elements
        while let message = elements.next() {
            last = text(of: message)
            if message["role"]?.equals("user") == true { lastOfUser = last }
        }
        return lastOfUser ?? last
    }

    /// The text parts of a message, joined.
    package static func text(of message: JSONValue) -> String {
        guard let content = message["content"] else { return "" }
        if let text = content.string { return text }
        var parts: [String] = []
        var elements = content.elements
        while let part = elements.next() { if let text = part["text"]?.string { parts.append(text) } }
        return parts.joined(separator: "\n")
    }

    /// A rough count: about four bytes of UTF-8 a token, at least one for any text.
    package static func estimatedTokens(_ text: String) -> Int { text.isEmpty ? 0 : max(1, (text.utf8.count + 3) / 4) }

    /// The words of a text with the space before each, so that joined they are the text again.
    package static func pieces(_ text: String) -> Pieces { Pieces(text: text[...]) }

    /// Cut off one by one: a long text has millions of them.
    package struct Pieces: Sequence, IteratorProtocol {
        fileprivate var text: Substring

        package mutating func next() -> Substring? {
            guard !text.isEmpty else { return nil }
            let rest = text.utf8.dropFirst()
            let end = rest.firstIndex(of: UInt8(ascii: " ")) ?? text.endIndex
            defer { text = text[end...] }
            return text[..<end]
        }
    }
}
