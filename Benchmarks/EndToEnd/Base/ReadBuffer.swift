/// Memory to read into, one for all connections of an event loop.
@safe final class ReadBuffer {
    let capacity: Int
    private let storage: UnsafeMutableBufferPointer<UInt8>

    init(capacity: Int = 262_144) {
        self.capacity = capacity
        unsafe storage = .allocate(capacity: capacity)
        unsafe storage.initialize(repeating: 0)
    }

    deinit { unsafe storage.deallocate() }

    /// For a system call to write into.
    @unsafe var address: UnsafeMutableRawPointer? { unsafe UnsafeMutableRawPointer(storage.baseAddress) }

    /// What a read has left: its first bytes, until the next read.
    @_lifetime(borrow self)
    func prefix(_ count: Int) -> Span<UInt8> {
        unsafe _overrideLifetime(Span(_unsafeElements: storage).extracting(first: count), borrowing: self)
    }
}
