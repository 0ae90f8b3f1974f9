import FuzzSupport
import SluiceCore
import SluiceIdentity
import SluiceJSON
import SluiceTLS

/// What somebody shows for a token, and what an issuer says are its keys: the one is the first line, the other the rest.
func check(_ input: Input) {
    let (line, rest) = input.firstLineAndRest
    let tape = JSONTape()
    if let keys = try? KeySet(Array(rest).span, tape: tape, takesSecrets: false) {
        expect(keys.keys.count <= KeySet.countMax, "more keys than there may be")
        for key in keys.keys { expect(!key.serves(.hs256), "a public key that serves as a secret") }
        take(Array(line), keys)
    }
    take(Array(line), trusted)
    take(input.bytes, trusted)
}

/// No key of ours has signed it: whatever it says, it is not verified.
private func take(_ bytes: [UInt8], _ keys: KeySet) {
    let tape = JSONTape()
    let token: JSONWebToken
    do {
        token = try JSONWebToken(bytes.span, tape: tape)
    } catch {
        return expect(!error.detail.isEmpty, "a refusal without words")
    }
    expect(bytes.count <= JSONWebToken.byteCountMax, "a token that is too long")
    expect(token.signedByteCount < bytes.count && bytes[token.signedByteCount] == UInt8(ascii: "."), "signed beyond its end")
    let message = bytes.span.extracting(0..<token.signedByteCount)
    if keys.keys.count == trusted.keys.count, keys.keys[0].id == "ours" {
        expect(keys.verify(token, signed: message) != .verified, "a signature from nowhere")
    } else {
        _ = keys.verify(token, signed: message)
    }
    guard (try? JSONWebToken.scan(token.payload.span, "payload", onto: tape)) != nil else { return }
    var rules = TokenRules()
    rules.issuer = "https://issuer.example"
    rules.audiences = ["sluice"]
    let claims = tape.root(over: token.payload.span)
    if let until = try? rules.check(claims, at: 1_800_000_000) {
        expect(until > 1_800_000_000 - rules.skewSeconds, "one that has ended")
    }
}

private let trusted: KeySet = {
    guard let key = try? PrivateKey(generating: .p256), let half = key.publicKey else { fatalError("no key") }
    return KeySet([VerificationKey(id: "ours", algorithm: .es256, .publicKey(half))])
}()
