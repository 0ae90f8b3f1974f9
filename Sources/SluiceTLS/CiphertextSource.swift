internal import SluiceCore

/// The ciphertext that OpenSSL reads from: what was kept, then what is being fed.
///
/// Nothing is copied as long as OpenSSL takes all that is fed, which it does while there is room for the plaintext.
@safe struct CiphertextSource {
    private var kept: ByteBuffer?
    /// Valid during one call only.
    private var fed = unsafe UnsafeRawBufferPointer(start: nil, count: 0)

    var isEmpty: Bool { unsafe kept == nil && fed.isEmpty }

    @unsafe mutating func feed(_ bytes: UnsafeRawBufferPointer) { unsafe fed = bytes }

    /// Ends the call that fed: copies what was not taken.
    mutating func keepRest() {
        if unsafe !fed.isEmpty {
            let buffer = unsafe kept ?? ByteBuffer(capacity: fed.count)
            unsafe buffer.append(fed)
            kept = buffer
        }
        unsafe fed = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Moves up to as many bytes as there is space for; returns how many.
    @unsafe mutating func take(_ space: UnsafeMutableRawBufferPointer) -> Int {
        if kept != nil { return unsafe takeKept(space) }
        let count = unsafe min(space.count, fed.count)
        if count == 0 { return 0 }
        unsafe space.copyMemory(from: UnsafeRawBufferPointer(rebasing: fed[..<count]))
        unsafe fed = UnsafeRawBufferPointer(rebasing: fed[count...])
        return count
    }

    private mutating func takeKept(_ space: UnsafeMutableRawBufferPointer) -> Int {
        guard let buffer = kept else { return 0 }
        let bytes = unsafe buffer.unsafeBytes
        let count = min(space.count, bytes.count)
        unsafe space.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        buffer.consume(count)
        if buffer.isEmpty { kept = nil }
        return count
    }

    mutating func removeAll() {
        kept = nil
        unsafe fed = UnsafeRawBufferPointer(start: nil, count: 0)
    }
}
