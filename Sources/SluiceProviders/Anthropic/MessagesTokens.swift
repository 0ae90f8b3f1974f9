package import SluiceJSON

/// A rough count of a request's tokens, for providers that do not count themselves: about four bytes of text a token.
package enum MessagesTokens {
    /// What an image costs at about a thousand pixels a side.
    private static let tokensPerImage = 1500
    private static let bytesPerToken = 4
    /// Roles, names and separators of one message.
    private static let tokensPerMessage = 4

    package static func estimate(_ root: JSONValue) -> Int {
        var bytes = 0
        var images = 0
        for field in ["system", "messages", "tools"] as [StaticString] {
            if let value = root[field] { count(value, &bytes, &images) }
        }
        let messages = root["messages"]?.count ?? 0
        return max(
            1, (bytes + bytesPerToken - 1) / bytesPerToken + images * tokensPerImage + messages * tokensPerMessage)
    }

    /// As deep as a document may be.
    private static func count(_ value: JSONValue, _ bytes: inout Int, _ images: inout Int) {
        switch value.kind {
        case .string: bytes += value.escapedBytes?.count ?? 0
        case .array:
            var elements = value.elements
            while let element = elements.next() { count(element, &bytes, &images) }
        case .object:
            var members = value.members
            while let member = members.next() {
                if member.isNamed("source"), member.value["data"] != nil || member.value["url"] != nil,
                    member.value["type"]?.equals("text") == false
                {
                    images += 1
                } else if !member.isNamed("type"), !member.isNamed("signature"), !member.isNamed("cache_control") {
                    bytes += member.key.range.count
                    count(member.value, &bytes, &images)
                }
            }
        case .null, .boolean, .number: bytes += value.range.count
        }
    }
}
