internal import SluiceCore

/// Overwrites secrets in bytes that are to be shown to somebody.
enum Concealment {
    /// A shorter secret is none, and would be found by chance.
    private static let concealedBytesMin = 8

    static func conceal(_ secret: Secret, in buffer: ByteBuffer) {
        secret.withExposed { key in
            // What stands after "Bearer " is the secret.
            let key = key.hasPrefixIgnoringCase("bearer ") ? key.extracting(7..<key.count) : key
            if key.count < concealedBytesMin { return }
            let mask = ByteBuffer(capacity: key.count)
            for _ in key.indices { mask.append(UInt8(ascii: "*")) }
            var start = 0
            while let found = buffer.span.firstIndex(of: key[0], from: start) {
                start = found + 1
                if buffer.count - found < key.count { return }
                if !areEqual(buffer.span.extracting(found..<found + key.count), key) { continue }
                buffer.replace(at: found, with: mask.span)
                start = found + key.count
            }
        }
    }

    private static func areEqual(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        for index in one.indices where one[index] != other[index] { return false }
        return one.count == other.count
    }
}
