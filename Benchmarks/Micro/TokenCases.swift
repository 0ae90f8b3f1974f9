internal import SluiceCore
internal import SluiceIdentity
internal import SluiceJSON
internal import SluicePolicy
internal import SluiceTLS
internal import Synchronization

/// What a request pays for its token once that is known, and what the first one pays for a signature.
func measureTokens(_ measure: Measure) {
    let now = 1_800_000_000
    for (name, kind) in [("es256", PrivateKey.Kind.p256), ("eddsa", .ed25519)] {
        var settings = TokenMint.Settings()
        settings.kind = kind
        // About as long as what identity providers give out.
        let scope = String(repeating: "a-scope ", count: 60)
        guard let mint = try? TokenMint(settings), let token = try? mint.token(for: "client:bench", scope: scope, at: now)
        else { preconditionFailure("no token") }
        token.withExposed { measureToken(measure, name, $0, mint, at: now) }
    }
}

private func measureToken(_ measure: Measure, _ name: String, _ token: Span<UInt8>, _ mint: TokenMint, at now: Int) {
    var rules = TokenRules()
    rules.issuer = mint.settings.issuer
    rules.audiences = [mint.settings.audience]
    let issuer = TokenIssuer(name: "bench", keys: mint.verification, rules: rules, algorithms: [.es256, .edDSA])
    let verifier = TokenVerifier(issuers: [issuer])
    let policy = AccessPolicy()
    let copy = unsafe token.withUnsafeBufferPointer { unsafe Array($0) }
    let isKnown = Mutex(false)
    let done = Atomic(false)
    Task.detached {
        if case .principal = await verifier.resolve(copy, under: policy, at: now) { isKnown.withLock { $0 = true } }
        done.store(true, ordering: .releasing)
    }
    while !done.load(ordering: .acquiring) {}
    precondition(isKnown.withLock { $0 }, "the token is refused")
    measure("token/remembered, \(token.count) bytes, \(name)") { keep(verifier.verify(token, under: policy, at: now)) }
    let tape = JSONTape()
    guard let parsed = try? JSONWebToken(token, tape: tape),
        let keys = try? KeySet(mint.publish().span, tape: JSONTape(), takesSecrets: false)
    else { preconditionFailure("the token cannot be read") }
    let signed = token.extracting(0..<parsed.signedByteCount)
    measure("token/signature, \(name)") { keep(keys.verify(parsed, signed: signed)) }
}
