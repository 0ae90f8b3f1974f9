import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
internal import SluiceTLS
import TestSupport
import Testing

@Suite struct `JSON Web Tokens` {
    // 2026-01-01 00:00 UTC
    private let milliseconds = 1_767_225_600_000

    @Test func `Zhipu's token is the one of the worked example`() throws {
        var token = try #require(ZhipuToken(key: Secret("testid0123456789.testsecretABC")))
        let text = token.token(atMilliseconds: milliseconds).exposedText
        #expect(
            text
                == """
                eyJhbGciOiJIUzI1NiIsInNpZ25fdHlwZSI6IlNJR04ifQ.eyJhcGlfa2V5IjoidGVzdGlkMDEyMzQ1Njc4OSIsImV4cCI6MTc2NzIyNTg\
                xMDAwMCwidGltZXN0YW1wIjoxNzY3MjI1NjAwMDAwfQ.RgsnQOEXGtQV6_xFPGWJuJmI7R3gR18eKsivaxElzEY
                """)
    }

    @Test func `Zhipu's token is kept for three minutes, and forgotten when told to`() throws {
        var token = try #require(ZhipuToken(key: Secret("id.secret")))
        let first = token.token(atMilliseconds: milliseconds)
        let kept = token.token(atMilliseconds: milliseconds + 179_999)
        #expect(kept == first)
        let second = token.token(atMilliseconds: milliseconds + 180_000)
        #expect(second != first)
        let third = token.token(atMilliseconds: milliseconds + 5)
        #expect(third != second, "the clock was set back")
        token.forget()
        let fourth = token.token(atMilliseconds: milliseconds + 10)
        #expect(fourth != third)
        #expect(!"\(token)".contains("secret."))
    }

    @Test(arguments: ["", "nodot", ".secret", "id.", "."])
    func `a key that is not two parts is no key of Zhipu's`(key: String) {
        #expect(ZhipuToken(key: Secret(key)) == nil)
    }

    // MARK: Google

    private func account(_ pem: String, _ more: String = "") throws -> GoogleServiceAccount {
        let text = """
            {"type":"service_account","client_email":"sluice@example.iam.gserviceaccount.com",
            "private_key":"\(pem.replacing("\n", with: "\\n"))\\n"\(more)}
            """
        let tape = JSONTape()
        try tape.scan(text.utf8Span.span)
        return try GoogleServiceAccount(tape.root(over: text.utf8Span.span))
    }

    @Test func `a service account's assertion is signed as another library signs it`() throws {
        let account = try account(
            SigningKeys.rsa, #","private_key_id":"k1","token_uri":"https://oauth2.googleapis.com/token""#)
        let request = try account.tokenRequest(at: milliseconds / 1000)
        #expect(request.origin == "https://oauth2.googleapis.com" && request.target == Secret("/token"))
        #expect(request.contentType == "application/x-www-form-urlencoded" && request.method == .post)
        // By pyca/cryptography.
        let assertion = """
            eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImsxIn0.eyJpc3MiOiJzbHVpY2VAZXhhbXBsZS5pYW0uZ3NlcnZpY2Vh\
            Y2NvdW50LmNvbSIsInNjb3BlIjoiaHR0cHM6Ly93d3cuZ29vZ2xlYXBpcy5jb20vYXV0aC9jbG91ZC1wbGF0Zm9ybSIsImF1ZCI6\
            Imh0dHBzOi8vb2F1dGgyLmdvb2dsZWFwaXMuY29tL3Rva2VuIiwiaWF0IjoxNzY3MjI1NjAwLCJleHAiOjE3NjcyMjkyMDB9.Ah2\
            dn7_WwxiqiQpK5lOWIiNwsx8e2S4CbQe51qVV5EYLJjC9RWOHNt_gxnJNUX6ra8q8iWFNXRqBLxZtORD_xQhe24yrb0Odt_wEXJQ\
            bW1ahmucCftGOwnOXp-1fWhhN7QQIOiSBRIsUglt_7OWWKE4hq2OlsgMt5ZSqviDOx4cUEjsEHpgSRcjrgogrxeT5y0kkAlnQLJ9\
            yeoIMmt_9HQl0IFODPuEzdYwzGbgwHZdrARhBMhYhCPWu23xM2d6Id5Q_eQ5c-BLCCSSpjj63S_Y37TYZsgqx9PVsoHdonpAh_vz\
            OvoqvpoC7CxANUnaIAvwWXdcjeeCNsGri5U9o9A
            """
        #expect(
            request.body.exposedText
                == "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + assertion)
        #expect(!"\(request) \(account)".contains("eyJ") && !"\(account)".contains("PRIVATE"))
    }

    @Test func `an account with a P-256 key says ES256`() throws {
        let body = try account(SigningKeys.p256).tokenRequest(at: 0).body.exposedText
        let header = try #require(body.split(separator: "=").last?.split(separator: ".").first)
        let decoded = Base64.decode(Array(header.utf8).span, .urlSafe)
        let bytes = try #require(decoded)
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"alg":"ES256","typ":"JWT"}"#)
    }

    @Test(arguments: [
        ("{}", GoogleServiceAccount.Malformed.missing("client_email")),
        (#"{"client_email":"a@b"}"#, .missing("private_key")),
        (#"{"client_email":"a@b","private_key":7}"#, .missing("private_key")),
        (#"{"client_email":"a@b","private_key":"x","token_uri":"ftp://x/"}"#, .invalidTokenURL),
        (#"{"client_email":"a@b","private_key":"x","token_uri":"https:///t"}"#, .invalidTokenURL),
        (#"{"client_email":"a@b","private_key":"x","token_uri":"https://h/a b"}"#, .invalidTokenURL),
    ])
    func `a file without what is needed is refused`(text: String, error: GoogleServiceAccount.Malformed) throws {
        let tape = JSONTape()
        try tape.scan(text.utf8Span.span)
        #expect(throws: error) { try GoogleServiceAccount(tape.root(over: text.utf8Span.span)) }
    }

    @Test func `a key that cannot be used is refused by the account's name`() {
        #expect {
            try account("x")
        } throws: { error in
            guard case .unusableKey(let why) = error as? GoogleServiceAccount.Malformed else { return false }
            return why.message.contains("private_key of sluice@example")
        }
    }
}
