internal import SluiceCore

/// A `data:` URL with base64 (RFC 2397), taken apart where it lies.
package struct DataURL: ~Escapable {
    /// In lower case as it was written; `application/octet-stream` if there is none.
    package let mediaType: String
    /// Base64, not checked.
    package let base64: Span<UInt8>

    /// - Returns: `nil` for anything that is not `data:TYPE;base64,DATA`.
    @_lifetime(copy text)
    package init?(_ text: Span<UInt8>) {
        guard text.hasPrefixIgnoringCase("data:"), let comma = text.firstIndex(of: UInt8(ascii: ","), from: 5) else {
            return nil
        }
        let head = String(decoding: text.extracting(5..<comma)).lowercased()
        guard head.hasSuffix(";base64") else { return nil }
        let type = head.prefix { $0 != ";" }
        mediaType = type.isEmpty ? "application/octet-stream" : String(type)
        base64 = text.extracting(comma + 1..<text.count)
    }
}
