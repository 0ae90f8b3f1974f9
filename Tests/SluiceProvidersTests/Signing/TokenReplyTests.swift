import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import Testing

@Suite struct `Token replies` {
    private func read(_ text: String, _ status: Status = 200, baiduBearer: Bool = false) -> Result<
        TokenReply, TokenReply.Refusal
    > {
        let tape = JSONTape()
        do throws(TokenReply.Refusal) {
            guard (try? tape.scan(text.utf8Span.span)) != nil else { return .success(try .oauth(nil, status: status)) }
            let body = tape.root(over: text.utf8Span.span)
            return .success(try baiduBearer ? .baiduBearer(body, status: status) : .oauth(body, status: status))
        } catch {
            return .failure(error)
        }
    }

    @Test(arguments: [
        (#"{"access_token":"24.abc","expires_in":2592000,"refresh_token":"25.x","scope":"public"}"#, 2_592_000),
        (#"{"token_type":"Bearer","expires_in":3599,"access_token":"24.abc"}"#, 3599),
        (#"{"access_token":"24.abc","expires_in":"3600"}"#, 3600), (#"{"access_token":"24.abc"}"#, 300),
        (#"{"access_token":"24.abc","expires_in":99999999999}"#, 366 * 86_400),
    ])
    func `a token comes with its lifetime`(text: String, seconds: Int) throws {
        let reply = try read(text).get()
        #expect(reply.token == Secret("24.abc") && reply.lifetimeSeconds == seconds)
        let token = reply.expiring(receivedAt: 1000)
        #expect(token.isGood(at: 1000, marginSeconds: seconds - 1) && !token.isGood(at: 1000, marginSeconds: seconds))
        #expect(!"\(reply) \(token)".contains("24."))
    }

    @Test(
        arguments: [
            (
                #"{"error":"invalid_client","error_description":"unknown client id"}"#, 401, "invalid_client",
                "unknown client id", true
            ),
            (
                #"{"error":"invalid_client","error_description":"Client authentication failed"}"#, 200,
                "invalid_client", "Client authentication failed", true
            ),
            (#"{"error":"temporarily_unavailable"}"#, 400, "temporarily_unavailable", "", false),
            (#"{"error":{"code":"x","message":"no"}}"#, 500, "x", "no", false),
            ("<html>", 502, "", "the reply is neither a token nor an error", false),
            ("{}", 200, "", "the reply is neither a token nor an error", false),
            (#"{"access_token":""}"#, 200, "", "the reply is neither a token nor an error", false),
            (#"{"access_token":"a\r\nb"}"#, 200, "", "the reply is neither a token nor an error", false),
            (#"{"access_token":"a","expires_in":0}"#, 200, "", "the token has expired already", false),
        ] as [(String, UInt16, String, String, Bool)])
    func `what is no token says why`(text: String, status: UInt16, code: String, message: String, isPermanent: Bool) {
        guard case .failure(let refusal) = read(text, Status(status)) else {
            Issue.record("a token was read from \(text)")
            return
        }
        #expect(refusal.code == code && refusal.message == message && refusal.isPermanent == isPermanent)
        #expect(refusal.status == Status(status))
    }

    @Test(
        arguments: [
            (#"{"error":"invalid_client"}"#, 400, true), (#"{"error":"invalid_grant"}"#, 400, true),
            (#"{"error":"x"}"#, 403, true),
            (#"{"error":"invalid_scope"}"#, 400, false), (#"{"error":"server_error"}"#, 500, false), ("[]", 401, true),
            ("[]", 502, false),
        ] as [(String, UInt16, Bool)])
    func `whoever is not known is told from what is out of order`(text: String, status: UInt16, isOfCredentials: Bool) {
        guard case .failure(let refusal) = read(text, Status(status)) else { return #expect(Bool(false)) }
        #expect(refusal.isOfCredentials == isOfCredentials)
    }

    @Test func `an error's words are bounded`() {
        let text = #"{"error":"x","error_description":""# + String(repeating: "é", count: 1000) + "\"}"
        guard case .failure(let refusal) = read(text, 400) else { return #expect(Bool(false)) }
        #expect(refusal.message.utf8.count == 512)
    }

    @Test func `Baidu's bearer has two times in place of a lifetime`() throws {
        let text = #"{"token":"bce-v3/x","createTime":"2026-01-01T00:00:00Z","expireTime":"2026-01-01T12:00:00Z"}"#
        let reply = try read(text, baiduBearer: true).get()
        #expect(reply.token == Secret("bce-v3/x") && reply.lifetimeSeconds == 43_200)
        let backwards = #"{"token":"t","createTime":"2026-01-01T00:00:01Z","expireTime":"2026-01-01T00:00:01Z"}"#
        #expect(throws: TokenReply.Refusal.self) { try read(backwards, baiduBearer: true).get() }
    }
}
