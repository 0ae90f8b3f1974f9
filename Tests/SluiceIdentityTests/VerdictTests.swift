import SluiceCore
import SluiceIdentity
import SluiceNet
import SluicePolicy
import SluiceTLS
import TestSupport
import Testing

@Suite struct `Verdicts that are remembered` {
    @Test func `a token is checked once, and ends when it ends`() async throws {
        let signer = try TestSigner()
        let verifier = TokenVerifier(issuers: [testIssuer([try signer.verificationKey])])
        let policy = AccessPolicy()
        let token = try signer.sign(claims(expiresIn: 100))
        func known(at now: Int) -> String { word(verifier.verify(token.span, under: policy, at: now)) }
        #expect(known(at: noon) == "undecided")
        #expect(word(await verifier.resolve(token, under: policy, at: noon)) == "jwt:https://issuer.example#ada")
        #expect(known(at: noon) == "jwt:https://issuer.example#ada")
        #expect(known(at: noon + 159) == "jwt:https://issuer.example#ada")
        // The wall clock jumps: 60 s are what clocks may differ by.
        #expect(known(at: noon + 160) == "undecided")
        #expect(word(await verifier.resolve(token, under: policy, at: noon + 160)) == "expired")
        #expect(known(at: noon - 100_000) == "jwt:https://issuer.example#ada")
    }

    @Test func `another policy asks anew`() async throws {
        let signer = try TestSigner(.ed25519)
        var mapping = ClaimMapping()
        mapping.roles = ClaimPath("/realm/roles")
        let verifier = TokenVerifier(issuers: [testIssuer([try signer.verificationKey], claims: mapping)])
        let token = try signer.sign(claims(rest: #","realm":{"roles":["developer"]}"#))
        let first = AccessPolicy()
        guard case .principal(let principal) = await verifier.resolve(token, under: first, at: noon) else {
            Issue.record("refused")
            return
        }
        #expect(principal.roles == ["developer"] && principal.access.allows(endpoint: "/v1/chat/completions"))
        let second = AccessPolicy()
        #expect(word(verifier.verify(token.span, under: second, at: noon)) == "undecided")
        #expect(word(verifier.verify(token.span, under: first, at: noon)) == "jwt:https://issuer.example#ada")
    }

    @Test func `no more are kept than are to be`() {
        let cache = VerdictCache(countMax: 64)
        let now = EventLoop.readClock()
        for number in 0..<10_000 {
            let key = VerdictCache.Key("\(number)".utf8Span.span)
            cache.keep(
                VerdictCache.Entry(.refused(.unknown), until: .max, freshUntil: now + .seconds(9), policy: 1),
                of: key, seconds: noon, now: now)
            #expect(cache.entry(key, policy: 1, seconds: noon, now: now) != nil)
            #expect(cache.entry(key, policy: 2, seconds: noon, now: now) == nil)
            #expect(cache.entry(key, policy: 1, seconds: noon, now: now + .seconds(9)) == nil)
        }
        #expect(cache.count <= 64)
    }

    @Test func `claims become roles as the configuration says`() async throws {
        let signer = try TestSigner()
        var mapping = ClaimMapping()
        mapping.roles = ClaimPath("groups")
        mapping.roleMap = ["ops": ["operator", "auditor"], "dev": ["developer"]]
        mapping.scopeRoles = ["chat": ["app"]]
        mapping.defaultRoles = ["auditor"]
        mapping.team = ClaimPath("team")
        mapping.businessLine = ClaimPath("line")
        let verifier = TokenVerifier(issuers: [testIssuer([try signer.verificationKey], claims: mapping)])
        let policy = AccessPolicy()
        func principal(_ rest: String) async throws -> Principal {
            guard case .principal(let found) = await verifier.resolve(try signer.sign(claims(rest: rest)), under: policy, at: noon)
            else { throw TokenRefusal(.malformed, rest) }
            return found
        }
        #expect(try await principal(#","groups":["ops","admin","dev"]"#).roles == ["operator", "auditor", "developer"])
        #expect(try await principal(#","groups":"dev admin","scope":"openid chat""#).roles == ["developer", "app"])
        // A name that the map does not have gives nothing, however it is called here.
        #expect(try await principal(#","groups":["admin"]"#).roles == ["auditor"])
        let placed = try await principal(#","groups":[7,null],"team":"blue","line":3"#)
        #expect(placed.roles == ["auditor"] && placed.team == "blue" && placed.businessLine == "3" && placed.tenant == "blue")
    }

    @Test func `claims that have to be there have to be there`() async throws {
        let signer = try TestSigner()
        let verifier = TokenVerifier(issuers: [
            testIssuer([try signer.verificationKey]) { rules in
                rules.required = [("azp", "app"), ("email", nil)]
                rules.types = ["at+jwt"]
            }
        ])
        let header = #"{"alg":"ES256","typ":"application/AT+JWT","kid":"one"}"#
        func found(_ rest: String, _ header: String) async throws -> String {
            await outcome(of: try signer.sign(claims(rest: rest), header: header), verifier)
        }
        #expect(try await found(#","azp":"app","email":"x""#, header) == "jwt:https://issuer.example#ada")
        #expect(try await found(#","azp":"app""#, header) == "malformed")
        #expect(try await found(#","azp":"other","email":"x""#, header) == "malformed")
        #expect(try await found(#","azp":"app","email":null"#, header) == "malformed")
        #expect(try await found(#","azp":"app","email":"x""#, #"{"alg":"ES256","typ":"JWT","kid":"one"}"#) == "malformed")
        #expect(try await found(#","azp":"app","email":"x""#, #"{"alg":"ES256","kid":"one"}"#) == "malformed")
    }
}
