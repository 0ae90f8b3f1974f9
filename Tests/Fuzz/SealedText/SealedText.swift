import FuzzSupport
import SluiceCore
import SluiceTLS

/// Sealed texts and bytes that nobody has sealed, or that were changed since.
func check(_ input: Input) {
    var input = input
    let text = String(decoding: input.bytes, as: UTF8.self)
    expect((try? vault.open(text, purpose: "p")) == nil, "opened: \(text)")
    _ = SecretVault.keyID(ofText: text)
    _ = SecretVault.isSealed(text)
    let buffer = ByteBuffer()
    expect((try? vault.open(input.bytes.span, purpose: "p", into: buffer)) == nil, "opened")
    expect(buffer.isEmpty, "bytes of what did not open")
    _ = SecretVault.keyID(ofBytes: input.bytes.span)
    change(&input)
}

/// What we have sealed, with some bytes of it as the input has them.
private func change(_ input: inout Input) {
    let sealed = ByteBuffer()
    expect((try? vault.seal(input.bytes.span, purpose: "p", into: sealed)) != nil, "not sealed")
    let opened = ByteBuffer()
    expect((try? vault.open(sealed.span, purpose: "p", into: opened)) != nil, "not opened")
    expect(opened.count == input.bytes.count, "other bytes")
    var bytes: [UInt8] = []
    bytes.append(each: sealed.span)
    let place = Int.random(in: 0..<bytes.count, using: &input.random)
    bytes[place] ^= UInt8(truncatingIfNeeded: input.random.next() | 1)
    let other = ByteBuffer()
    expect((try? vault.open(bytes.span, purpose: "p", into: other)) == nil, "byte \(place) changed, and it opens")
    expect((try? vault.open(sealed.span, purpose: "q", into: other)) == nil, "opened for another purpose")
    let end = Int.random(in: 0..<bytes.count, using: &input.random)
    expect((try? vault.open(sealed.span.extracting(0..<end), purpose: "p", into: other)) == nil, "cut, and it opens")
    expect(other.isEmpty, "bytes of what did not open")
}

private let vault: SecretVault = {
    var random = SplitMix64(1)
    let key = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    return SecretVault(MasterKeys([Secret(key.span)]))
}()
