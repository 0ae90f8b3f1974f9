import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import SluiceUpstream
import Testing

@Suite struct `Sources of tokens` {
    private static let endpoint = Endpoint(
        isTLS: false, host: "127.0.0.1", port: 1, tls: nil, http: .http1, proxy: nil, limits: Endpoint.PoolLimits())

    private func source(_ reply: String) throws -> TokenSource {
        let source = TokenSource(
            .baidu(apiKey: Secret("key-hush-1"), secretKey: Secret("secret-hush-1")), endpoint: Self.endpoint)
        let tape = JSONTape()
        try tape.scan(reply.utf8Span.span)
        try source.accept(tape.root(over: reply.utf8Span.span), status: 200, at: 1000)
        return source
    }

    @Test(arguments: [(3600, 3540), (120, 60), (119, 60), (60, 30), (30, 15), (2, 1), (1, 1)])
    func `a token is used until it is renewed in time, however short its life is`(lifetime: Int, isUsed: Int) throws {
        let source = try source(#"{"access_token":"token-hush-1","expires_in":\#(lifetime)}"#)
        #expect(source.current(at: 1000) != nil, "else it would be asked for again and again")
        #expect(source.current(at: 1000 + isUsed - 1) != nil && source.current(at: 1000 + isUsed) == nil)
    }

    @Test func `what is shown to somebody has neither the token nor what it was exchanged for`() throws {
        let words = ByteBuffer("token-hush-1 for key-hush-1 and secret-hush-1")
        try source(#"{"access_token":"token-hush-1","expires_in":60}"#).conceal(in: words)
        #expect(!words.text.contains("hush"), "\(words.text)")
    }

    @Test func `a refusal concerns the token that was shown, and not one that has come since`() throws {
        let source = try source(#"{"access_token":"token-hush-1","expires_in":3600}"#)
        let shown = source.renewals
        let tape = JSONTape()
        let reply = #"{"access_token":"token-hush-2","expires_in":3600}"#
        try tape.scan(reply.utf8Span.span)
        try source.accept(tape.root(over: reply.utf8Span.span), status: 200, at: 1000)
        source.forget(ofRenewals: shown)
        #expect(source.current(at: 1000) != nil)
        source.forget(ofRenewals: source.renewals)
        #expect(source.current(at: 1000) == nil)
    }

    @Test func `nor the token of a signature's temporary credentials`() {
        let signers: [any RequestSigner] = [
            DerivedKeySigner(
                aws: .init(
                    accessKeyID: "id", secretAccessKey: Secret("secret-hush-1"), sessionToken: Secret("session-hush-1")),
                region: "r", service: "s"),
            DerivedKeySigner(
                tencent: .init(secretID: "id", secretKey: Secret("secret-hush-1"), token: Secret("session-hush-1")),
                service: "s"),
        ]
        for signer in signers {
            let words = ByteBuffer("secret-hush-1 session-hush-1")
            signer.conceal(in: words)
            #expect(!words.text.contains("hush"), "\(words.text)")
        }
    }
}
