import SluiceCore
import SluiceIdentity
import SluicePolicy
import SluiceTLS
import TestSupport
import Testing

@Suite struct `Tokens that are not to be believed` {
    private let signer: TestSigner
    private let verifier: TokenVerifier

    init() throws {
        signer = try TestSigner()
        verifier = TokenVerifier(issuers: [testIssuer([try signer.verificationKey])])
    }

    private func outcome(_ token: [UInt8]) async -> String {
        await SluiceIdentityTests.outcome(of: token, verifier)
    }

    @Test func `an honest one says who shows it`() async throws {
        #expect(await outcome(try signer.sign(claims())) == "jwt:https://issuer.example#ada")
    }

    @Test(arguments: ["none", "None", "NONE", "nOnE", "", "HS384", "ES256K", "RSA-OAEP", "A128KW"])
    func `an algorithm that is none is refused`(algorithm: String) async throws {
        let header = TestSigner.encode(#"{"alg":"\#(algorithm)","kid":"one"}"#)
        let body = TestSigner.encode(claims())
        #expect(await outcome(Array("\(header).\(body).".utf8)) == "malformed")
        #expect(await outcome(Array("\(header).\(body).AAAA".utf8)) == "algorithm")
    }

    @Test func `a public key is no secret of HS256`() async throws {
        let point = try #require(signer.key.publicPoint)
        for secret in [point, [4] + point, Array(Base64.encode(point.span, .urlSafe).utf8)] {
            let forged = TestSigner.signHMAC(claims(), header: #"{"alg":"HS256","kid":"one"}"#, key: secret)
            #expect(await outcome(forged) == "algorithm")
        }
        // Not even where the issuer's tokens may be of HS256.
        let lax = TokenVerifier(issuers: [
            testIssuer([try signer.verificationKey], algorithms: Set(SignatureAlgorithm.allCases))
        ])
        let forged = TestSigner.signHMAC(claims(), header: #"{"alg":"HS256","kid":"one"}"#, key: point)
        #expect(await SluiceIdentityTests.outcome(of: forged, lax) == "signature")
    }

    @Test(arguments: [
        (claims(expiresIn: -61), "expired"), (claims(expiresIn: -59), "jwt:https://issuer.example#ada"),
        (claims(rest: #","nbf":\#(noon + 61)"#), "not_yet_valid"),
        (claims(rest: #","nbf":\#(noon + 60)"#), "jwt:https://issuer.example#ada"),
        (claims(rest: #","iat":\#(noon + 61)"#), "not_yet_valid"),
        (claims(audience: #""somebody else""#), "audience"), (claims(audience: #"["x","sluice"]"#), "jwt:https://issuer.example#ada"),
        (claims(audience: #"["x","y"]"#), "audience"), (claims(audience: #"{"sluice":1}"#), "audience"),
        (claims(audience: #"["sluic","sluicee","SLUICE"]"#), "audience"), (claims(audience: "null"), "audience"),
        (claims(issuer: "https://issuer.example/"), "issuer"), (claims(issuer: "https://evil.example"), "issuer"),
        (#"{"iss":"https://issuer.example","aud":"sluice","sub":"ada"}"#, "malformed"),
        (#"{"iss":"https://issuer.example","aud":"sluice","sub":"ada","exp":"4102444800"}"#, "malformed"),
        (#"{"iss":"https://issuer.example","aud":"sluice","sub":"ada","exp":1e400}"#, "malformed"),
        (#"{"iss":"https://issuer.example","aud":"sluice","sub":"ada","exp":-1}"#, "malformed"),
        (#"{"iss":"https://issuer.example","aud":"sluice","sub":"ada","exp":9e99}"#, "malformed"),
        (#"{"iss":"https://issuer.example","aud":"sluice","exp":\#(noon + 9)}"#, "malformed"),
        (claims(subject: ""), "malformed"), (claims(subject: #"a\nb"#), "malformed"),
        (claims(subject: String(repeating: "a", count: 257)), "malformed"),
        (claims(rest: #","sub":"eve""#), "malformed"), (claims(rest: #","s\u0075b":"eve""#), "malformed"),
        (claims(rest: #","x":{"a":1,"a":2}"#), "malformed"), (claims(rest: #","x":[{"a":1,"a":2}]"#), "malformed"),
        ("[]", "malformed"), ("", "malformed"), ("{", "malformed"), (claims() + " x", "malformed"),
    ])
    func `claims are looked at closely`(body: String, wanted: String) async throws {
        #expect(await outcome(try signer.sign(body)) == wanted)
    }

    @Test(arguments: [
        (#"{"alg":"ES256","kid":"two"}"#, "signature"), (#"{"alg":"ES256","kid":"../../etc/passwd"}"#, "signature"),
        (#"{"alg":"ES256","kid":"one' OR 1=1 --"}"#, "signature"), (#"{"alg":"ES256","kid":7}"#, "malformed"),
        (#"{"alg":"ES256"}"#, "jwt:https://issuer.example#ada"), (#"{"alg":"ES384","kid":"one"}"#, "signature"),
        (#"{"alg":"ES256","kid":"one","crit":["exp"],"exp":1}"#, "malformed"),
        (#"{"alg":"ES256","kid":"one","crit":[]}"#, "malformed"),
        (#"{"alg":"ES256","kid":"one","b64":false}"#, "malformed"),
        (#"{"alg":"ES256","kid":"one","cty":"JWT"}"#, "malformed"),
        (#"{"alg":"ES256","alg":"none","kid":"one"}"#, "malformed"), (#"{"kid":"one"}"#, "malformed"),
        (#"{"alg":["ES256"],"kid":"one"}"#, "malformed"), (#"{"alg":"es256","kid":"one"}"#, "algorithm"),
        (#"{"alg":"ES256","kid":"one","jku":"https://evil.example/keys"}"#, "jwt:https://issuer.example#ada"),
    ])
    func `headers are looked at closely`(header: String, wanted: String) async throws {
        #expect(await outcome(try signer.sign(claims(), header: header)) == wanted)
    }

    @Test func `a key that a token brings along is not looked at`() async throws {
        let thief = try TestSigner(id: "one")
        let point = try #require(thief.key.publicPoint)
        let x = Base64.encode(point.span.extracting(first: 32), .urlSafe)
        let y = Base64.encode(point.span.extracting(last: 32), .urlSafe)
        let key = #"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#
        for member in [#""jwk":\#(key)"#, #""jku":"https://evil.example""#, #""x5u":"https://evil.example""#, #""x5c":["AAAA"]"#] {
            let forged = try thief.sign(claims(), header: #"{"alg":"ES256","kid":"one",\#(member)}"#)
            #expect(await outcome(forged) == "signature")
        }
    }

    @Test func `every bit counts`() async throws {
        let token = try signer.sign(claims())
        for index in token.indices where token[index] != UInt8(ascii: ".") {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let found = await outcome(changed)
            #expect(!found.hasPrefix("jwt:"), "byte \(index)")
        }
    }

    @Test func `a token is whole or worth nothing`() async throws {
        let token = try signer.sign(claims())
        for count in stride(from: token.count - 1, through: 3, by: -1) {
            let found = await outcome(Array(token[..<count]))
            #expect(["malformed", "signature", "notMine"].contains(found), "the first \(count) bytes: \(found)")
        }
        for more in [".", ".AAAA", "=", "A", " ", "\0"] {
            let found = await outcome(token + Array(more.utf8))
            #expect(found == "malformed" || found == "signature", "\(more.debugDescription): \(found)")
        }
    }

    @Test func `one that is too long is not read`() async throws {
        let long = try signer.sign(claims(rest: #","x":"\#(String(repeating: "x", count: 13_000))""#))
        #expect(long.count > JSONWebToken.byteCountMax)
        #expect(await outcome(long) == "malformed")
        let deep = String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000)
        #expect(await outcome(try signer.sign(claims(rest: #","x":\#(deep)"#))) == "malformed")
        let crowded = (0..<2500).map { _ in "1" }.joined(separator: ",")
        #expect(await outcome(try signer.sign(claims(rest: #","x":[\#(crowded)]"#))) == "jwt:https://issuer.example#ada")
    }

    @Test func `whatever comes, nothing traps and nobody gets in`() async throws {
        let honest = try signer.sign(claims())
        for seed in SplitMix64.seeds(400) {
            var random = SplitMix64(seed)
            var token = honest
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<token.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: token[index] = UInt8.random(in: 0...255, using: &random)
                case 1: token.remove(at: index)
                case 2: token.insert(UInt8.random(in: 0...255, using: &random), at: index)
                default: token.replaceSubrange(index..<token.count, with: token[..<index])
                }
                if token.isEmpty { token = [0] }
            }
            let found = await outcome(token)
            #expect(token == honest || !found.hasPrefix("jwt:"), "seed \(seed): \(found)")
        }
    }

    @Test func `nothing but a web token is its business`() async {
        for text in ["sk-123", "", "a.b.c", "eyJhbGciOiJFUzI1NiJ9", "Bearer x", "eyj.a.b"] {
            let bytes = Array(text.utf8)
            #expect(word(verifier.verify(bytes.span, under: AccessPolicy(), at: noon)) == "notMine", "\(text)")
        }
    }

    @Test func `headers of random JSON do no harm`() async throws {
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let pieces = [#""alg""#, ":", ",", "{", "}", "[", "]", #""ES256""#, #""kid""#, "null", "1e9", #""\ud800""#, " ", "true"]
            var header = "{\"a\":"
            for _ in 0..<Int.random(in: 0...12, using: &random) { header += pieces.randomElement(using: &random) ?? "" }
            let token = try signer.sign(claims(), header: header)
            #expect(await outcome(token) != "jwt:https://issuer.example#ada", "seed \(seed): \(header)")
        }
    }
}
