import SluiceCore
import SluiceIdentity
import SluiceJSON
import SluicePolicy
import SluiceTLS

/// Makes tokens, honest and others.
struct TestSigner {
    let key: PrivateKey
    let id: String

    init(_ kind: PrivateKey.Kind = .p256, id: String = "one") throws {
        key = try PrivateKey(generating: kind)
        self.id = id
    }

    var algorithm: SignatureAlgorithm { key.kind == .ed25519 ? .edDSA : .es256 }

    var verificationKey: VerificationKey {
        get throws {
            guard let publicKey = key.publicKey else { throw TokenRefusal(.malformed, "no public key") }
            return VerificationKey(id: id, algorithm: algorithm, .publicKey(publicKey))
        }
    }

    func sign(_ claims: String, header: String? = nil) throws -> [UInt8] {
        let header = header ?? #"{"alg":"\#(algorithm.rawValue)","kid":"\#(id)"}"#
        let text = "\(Self.encode(header)).\(Self.encode(claims))"
        let signature = try key.sign(text.utf8Span.span)
        return Array("\(text).\(Base64.encode(signature.span, .urlSafe))".utf8)
    }

    static func encode(_ text: String) -> String { Base64.encode(text.utf8Span.span, .urlSafe) }

    /// Signed with a secret: what somebody does who knows a public key only.
    static func signHMAC(_ claims: String, header: String, key: [UInt8]) -> [UInt8] {
        let text = "\(encode(header)).\(encode(claims))"
        let code = MAC.sha256(key: key.span, message: text.utf8Span.span)
        return Array("\(text).\(Base64.encode(code.span, .urlSafe))".utf8)
    }
}

/// A time that tests are at.
let noon = 1_800_000_000

func claims(
    issuer: String = "https://issuer.example", audience: String = #""sluice""#, subject: String = "ada",
    expiresIn: Int = 300, rest: String = ""
) -> String {
    #"{"iss":"\#(issuer)","aud":\#(audience),"sub":"\#(subject)","exp":\#(noon + expiresIn)\#(rest)}"#
}

func testIssuer(
    _ keys: [VerificationKey], algorithms: Set<SignatureAlgorithm> = Set(SignatureAlgorithm.allCases).subtracting([.hs256]),
    kind: TokenIssuer.Kind = .users, claims: ClaimMapping = ClaimMapping(), change: (inout TokenRules) -> Void = { _ in }
) -> TokenIssuer {
    var rules = TokenRules()
    rules.issuer = "https://issuer.example"
    rules.audiences = ["sluice"]
    change(&rules)
    return TokenIssuer(
        name: "test", kind: kind, keys: KeySource(fixed: KeySet(keys)), rules: rules, algorithms: algorithms,
        claims: claims)
}

/// What is found out about a token, in a word: who shows it, or why it is refused.
func outcome(
    of token: [UInt8], _ verifier: TokenVerifier, _ policy: AccessPolicy = AccessPolicy(), at now: Int = noon
) async -> String {
    switch verifier.verify(token.span, under: policy, at: now) {
    case .undecided: word(await verifier.resolve(token, under: policy, at: now))
    case let verdict: word(verdict)
    }
}

func word(_ verdict: CredentialVerdict) -> String {
    switch verdict {
    case .notMine: "notMine"
    case .principal(let principal): principal.id
    case .refused(let reason, _): reason.rawValue
    case .undecided: "undecided"
    }
}
