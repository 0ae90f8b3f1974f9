/// How a JSON Web Signature is made (RFC 7518 §3.1, RFC 8037 §3.1). There is no case for `none`, and never will be.
package enum SignatureAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"
    case hs256 = "HS256"

    /// Which key it takes: a key of another kind never verifies, whatever a token says (RFC 8725 §3.1).
    package enum KeyKind: Sendable, Equatable { case symmetric, rsa, p256, p384, p521, ed25519 }

    package var keyKind: KeyKind {
        switch self {
        case .hs256: .symmetric
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
        case .es256: .p256
        case .es384: .p384
        case .es512: .p521
        case .edDSA: .ed25519
        }
    }

    /// OpenSSL's name of the hash; `nil`: the signature brings its own.
    var hashName: String? {
        switch self {
        case .hs256, .rs256, .ps256, .es256: "SHA256"
        case .rs384, .ps384, .es384: "SHA384"
        case .rs512, .ps512, .es512: "SHA512"
        case .edDSA: nil
        }
    }

    /// RSASSA-PSS (RFC 7518 §3.5): the salt is as long as the hash, and MGF1 uses the same one.
    var isPSS: Bool { self == .ps256 || self == .ps384 || self == .ps512 }
}
