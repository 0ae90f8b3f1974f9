internal import SluiceCore
internal import SluiceTLS

/// What a stored value costs that is sealed on its way in and opened on its way out.
func measureSecrets(_ measure: Measure) {
    var random = SplitMix64(1)
    let key = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let vault = SecretVault(MasterKeys([Secret(key.span)]))
    for byteCount in [256, 4096, 65_536] {
        let body = (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let sealed = ByteBuffer(capacity: byteCount + SecretVault.overhead)
        measure("secret/seal \(byteCount) bytes", bytes: byteCount) {
            sealed.removeAll()
            try? vault.seal(body.span, purpose: "records.request.018f3f5e", into: sealed)
        }
        if sealed.isEmpty { continue }
        let opened = ByteBuffer(capacity: byteCount)
        measure("secret/open \(byteCount) bytes", bytes: byteCount) {
            opened.removeAll()
            try? vault.open(sealed.span, purpose: "records.request.018f3f5e", into: opened)
        }
    }
}
