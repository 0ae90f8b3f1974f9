internal import SluiceCore
package import SluiceJSON
internal import SluicePolicy
package import SluiceTLS

/// A JSON Web Token in compact form (RFC 7519 §3.1, RFC 7515 §7.1), taken apart. Nothing in it is proved yet.
///
/// What a token says of its own key (`jku`, `jwk`, `x5u`, `x5c`) is never looked at (RFC 8725 §3.10).
package struct JSONWebToken {
    /// Longer tokens are refused before anything is read of them.
    package static let byteCountMax = 16_384
    private static let headerByteCountMax = 4096
    static let nameByteCountMax = 256

    package let algorithm: SignatureAlgorithm
    /// `kid`: which key, as the token says; it only chooses among keys that are trusted anyway.
    package let keyID: String?
    /// `typ`, in lower case and without `application/` (RFC 7515 §4.1.9).
    package let type: String?
    /// The claims: JSON, if the token is honest.
    package let payload: [UInt8]
    package let signature: [UInt8]
    /// How many of the token's first bytes are signed: header, dot and payload as they were sent.
    package let signedByteCount: Int

    /// - Parameter tape: used meanwhile.
    package init(_ token: Span<UInt8>, tape: JSONTape) throws(TokenRefusal) {
        if token.count > Self.byteCountMax { throw Self.malformed("it is longer than \(Self.byteCountMax) bytes") }
        guard let first = token.firstIndex(of: UInt8(ascii: ".")),
            let second = token.firstIndex(of: UInt8(ascii: "."), from: first + 1),
            token.firstIndex(of: UInt8(ascii: "."), from: second + 1) == nil
        else { throw Self.malformed("it has not three parts") }
        let header = try Self.decode(token.extracting(0..<first), "header")
        payload = try Self.decode(token.extracting(first + 1..<second), "payload")
        signature = try Self.decode(token.extracting(second + 1..<token.count), "signature")
        signedByteCount = second
        if header.count > Self.headerByteCountMax { throw Self.malformed("its header is too long") }
        let bytes = header.span
        try Self.scan(bytes, "header", onto: tape)
        let root = tape.root(over: bytes)
        if root["crit"] != nil || root["b64"] != nil {
            throw Self.malformed("it has extensions that must be understood")
        }
        if let content = root["cty"]?.string, content.utf8.elementsEqual("JWT".utf8) || content.lowercased() == "jwt" {
            throw Self.malformed("it is a token within a token")
        }
        guard let name = root["alg"]?.string else { throw Self.malformed("its header names no algorithm") }
        guard let algorithm = SignatureAlgorithm(rawValue: name) else {
            throw TokenRefusal(.algorithm, "its algorithm is not one that is accepted anywhere")
        }
        self.algorithm = algorithm
        keyID = try Self.text(root["kid"], "kid")
        type = try Self.text(root["typ"], "typ").map(Self.canonicalType)
    }

    package static func canonicalType(_ type: String) -> String {
        let lower = type.lowercased()
        return lower.hasPrefix("application/") ? String(lower.dropFirst("application/".utf8.count)) : lower
    }

    static func malformed(_ detail: String) -> TokenRefusal { TokenRefusal(.malformed, detail) }

    private static func text(_ value: JSONValue?, _ name: StaticString) throws(TokenRefusal) -> String? {
        guard let value else { return nil }
        guard let text = value.string, text.utf8.count <= nameByteCountMax else {
            throw malformed("its \(name) is not a string of at most \(nameByteCountMax) bytes")
        }
        return text
    }

    /// Without padding, and in one spelling only (RFC 7515 §2).
    private static func decode(_ part: Span<UInt8>, _ name: StaticString) throws(TokenRefusal) -> [UInt8] {
        guard !part.isEmpty, part.firstIndex(of: UInt8(ascii: "=")) == nil, let bytes = Base64.decode(part, .urlSafe)
        else { throw malformed("its \(name) is not base64url") }
        return bytes
    }

    /// Reads one JSON object, in which no name stands twice, at whatever depth (RFC 7515 §5.2, step 4).
    package static func scan(_ bytes: Span<UInt8>, _ name: StaticString, onto tape: JSONTape) throws(TokenRefusal) {
        var limits = JSONLimits()
        limits.depthMax = depthMax
        limits.entryCountMax = entryCountMax
        do throws(JSONError) {
            try tape.scan(bytes, limits: limits)
        } catch {
            throw malformed("its \(name) is not JSON: \(error)")
        }
        let root = tape.root(over: bytes)
        guard root.isObject else { throw malformed("its \(name) is not an object") }
        if UniqueNames.hasRepeated(root) { throw malformed("a name stands twice in its \(name)") }
    }

    private static let depthMax = 16
    private static let entryCountMax = 4096
}

/// Looks for names that stand twice in an object: readers disagree on which one counts, and who signs may read the
/// other.
package enum UniqueNames {
    package static func hasRepeated(_ value: JSONValue) -> Bool {
        if value.isObject {
            var seen: Set<String> = []
            var members = value.members
            while let member = members.next() {
                guard let name = member.key.string, seen.insert(name).inserted else { return true }
                if hasRepeated(member.value) { return true }
            }
        } else if value.isArray {
            var elements = value.elements
            while let element = elements.next() {
                if hasRepeated(element) { return true }
            }
        }
        return false
    }
}
