internal import COpenSSL

/// Random numbers fit for secrets, from OpenSSL's generator, which the kernel seeds.
///
/// Traps if the system has no randomness to give: nothing that needs a secret may go on then.
package struct SecureRandom: RandomNumberGenerator {
    package init() {}

    package mutating func next() -> UInt64 {
        var number: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &number) { unsafe Self.fill($0) }
        return number
    }

    package static func bytes(_ byteCount: Int) -> [UInt8] {
        unsafe Array(unsafeUninitializedCapacity: byteCount) { space, count in
            unsafe fill(UnsafeMutableRawBufferPointer(space))
            count = byteCount
        }
    }

    @unsafe package static func fill(_ space: UnsafeMutableRawBufferPointer) {
        let base = unsafe space.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard let base = unsafe base, space.count > 0 else { return }
        let isFilled = unsafe OpenSSLLibrary.isReady && RAND_bytes(base, Int32(space.count)) == 1
        precondition(isFilled, "no randomness: \(OpenSSLErrorQueue.drainText())")
    }
}
