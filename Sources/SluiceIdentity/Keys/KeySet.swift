internal import SluiceCore
package import SluiceJSON
internal import SluicePolicy
package import SluiceTLS

/// The keys of an issuer (RFC 7517 §5). Immutable.
package struct KeySet: Sendable {
    /// Why a document is not a set of keys.
    package struct Malformed: Error, Sendable, Equatable {
        package let message: String
        package init(_ message: String) { self.message = message }
    }

    /// In bytes: a longer document is not read.
    package static let documentByteCountMax = 262_144
    package static let countMax = 64
    /// How many keys one token is tried with, where it does not say which.
    private static let triesMax = 4

    package let keys: [VerificationKey]
    /// Keys that were left out, and why; in words that can be logged.
    package let notes: [String]

    package init(_ keys: [VerificationKey], notes: [String] = []) {
        self.keys = keys
        self.notes = notes
    }

    /// How a token's signature fares.
    package enum Finding: Sendable, Equatable {
        case verified
        /// There is a key of the name that it gives, which did not make it.
        case forged
        /// None of these keys made it, and none is named as it says: there may be a newer set that has one.
        case unknownKey
    }

    package func verify(_ token: JSONWebToken, signed message: Span<UInt8>) -> Finding {
        var tries = 0
        var isNamed = false
        for key in keys where token.keyID == nil || key.id == nil || key.id == token.keyID {
            guard tries < Self.triesMax, key.serves(token.algorithm) else { continue }
            if key.verifies(token.signature.span, of: message, by: token.algorithm) { return .verified }
            if key.id != nil, key.id == token.keyID { isNamed = true }
            tries += 1
        }
        return isNamed ? .forged : .unknownKey
    }
}

extension KeySet {
    /// Reads a set of keys as an issuer publishes it.
    ///
    /// Keys of kinds that are not known, for encryption, or too weak are left out (RFC 7517 §5).
    /// - Parameter takesSecrets: whether `oct` keys count: never those that came over a network.
    package init(_ document: Span<UInt8>, tape: JSONTape, takesSecrets: Bool) throws(Malformed) {
        if document.count > Self.documentByteCountMax {
            throw Malformed("longer than \(Self.documentByteCountMax) bytes")
        }
        var limits = JSONLimits()
        limits.depthMax = 16
        limits.entryCountMax = 16_384
        do throws(JSONError) {
            try tape.scan(document, limits: limits)
        } catch {
            throw Malformed("not JSON: \(error)")
        }
        let root = tape.root(over: document)
        if UniqueNames.hasRepeated(root) { throw Malformed("a name stands twice in one object") }
        guard let list = root["keys"], list.isArray else { throw Malformed("no list of keys") }
        var keys: [VerificationKey] = []
        var notes: [String] = []
        var elements = list.elements
        var position = 0
        while let element = elements.next() {
            position += 1
            if position > Self.countMax { throw Malformed("more than \(Self.countMax) keys") }
            do throws(PublicKey.Unusable) {
                if let key = try Self.key(element, takesSecrets: takesSecrets) { keys.append(key) }
            } catch {
                notes.append("key \(position): \(error)")
            }
        }
        self.init(keys, notes: notes)
    }

    /// The keys of a file of the operator's, secrets included.
    package init(fileBytes: FileBytes) throws(Malformed) {
        try self.init(fileBytes.span, tape: JSONTape(), takesSecrets: true)
    }

    private static func key(_ value: JSONValue, takesSecrets: Bool) throws(PublicKey.Unusable) -> VerificationKey? {
        if let use = value["use"]?.string, use != "sig" { return nil }
        if let operations = value["key_ops"], !TokenRules.names(operations, "verify") { return nil }
        var algorithm: SignatureAlgorithm?
        if let name = value["alg"]?.string {
            // Its owner says that it is for something else.
            guard let known = SignatureAlgorithm(rawValue: name) else { return nil }
            algorithm = known
        }
        guard let material = try material(value, takesSecrets: takesSecrets) else { return nil }
        let key = VerificationKey(id: value["kid"]?.string, algorithm: algorithm, material)
        if let algorithm, algorithm.keyKind != key.kind {
            throw PublicKey.Unusable("its alg is for keys of another kind")
        }
        return key
    }

    private static func material(
        _ value: JSONValue, takesSecrets: Bool
    ) throws(PublicKey.Unusable) -> VerificationKey.Material? {
        switch value["kty"]?.string {
        case "RSA":
            let modulus = try number(value["n"])
            let exponent = try number(value["e"])
            return .publicKey(try PublicKey(modulus: modulus.span, exponent: exponent.span))
        case "EC":
            guard let kind = curve(value["crv"]?.string) else { return nil }
            let x = try number(value["x"])
            let y = try number(value["y"])
            return .publicKey(try PublicKey(kind, x: x.span, y: y.span))
        case "OKP":
            guard value["crv"]?.string == "Ed25519" else { return nil }
            let x = try number(value["x"])
            return .publicKey(try PublicKey(ed25519: x.span))
        case "oct":
            guard takesSecrets else { throw PublicKey.Unusable("a secret that anybody can read is no key") }
            let secret = try number(value["k"])
            guard secret.count >= VerificationKey.secretByteCountMin else {
                throw PublicKey.Unusable("a secret of fewer than \(VerificationKey.secretByteCountMin) bytes")
            }
            return .secret(Secret(secret.span))
        default: return nil
        }
    }

    private static func curve(_ name: String?) -> SignatureAlgorithm.KeyKind? {
        switch name {
        case "P-256": .p256
        case "P-384": .p384
        case "P-521": .p521
        default: nil
        }
    }

    private static func number(_ value: JSONValue?) throws(PublicKey.Unusable) -> [UInt8] {
        guard let text = value?.string, let bytes = Base64.decode(text.utf8Span.span, .urlSafe), !bytes.isEmpty else {
            throw PublicKey.Unusable("a number that is missing or not base64url")
        }
        return bytes
    }
}
