internal import Glibc

/// A growable run of bytes on the heap, shared by reference.
///
/// Bytes are appended at the end and consumed at the front. Not `Sendable`: a buffer belongs to one event loop.
@usableFromInline @safe package final class ByteBuffer {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>
    @usableFromInline package internal(set) var capacity: Int
    @usableFromInline var start = 0
    @usableFromInline var end = 0

    /// - Parameter capacity: bytes to allocate at once; a buffer grows by doubling when that is not enough.
    package init(capacity: Int = 256) {
        self.capacity = max(capacity, 16)
        unsafe base = Self.allocate(self.capacity)
    }

    package convenience init(copying bytes: Span<UInt8>) {
        self.init(capacity: bytes.count)
        append(bytes)
    }

    package convenience init(_ text: String) {
        self.init(capacity: text.utf8.count)
        append(text)
    }

    deinit { unsafe free(base) }

    /// Straight from the C library: for the standard library every run of bytes is aligned, and its pool of small ones passed by.
    private static func allocate(_ byteCount: Int) -> UnsafeMutablePointer<UInt8> {
        guard let memory = unsafe malloc(byteCount) else { preconditionFailure("out of memory for \(byteCount) bytes") }
        return unsafe memory.assumingMemoryBound(to: UInt8.self)
    }

    /// How many bytes are there to read.
    @inlinable package var count: Int { end - start }
    @inlinable package var isEmpty: Bool { start == end }

    /// The bytes there are to read. Valid until the buffer is next changed.
    @inlinable package var span: Span<UInt8> {
        @_lifetime(borrow self) get {
            let span = unsafe Span(_unsafeStart: base + start, count: end - start)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The same as `span`, for system calls and C. Valid until the buffer is next changed.
    @inlinable package var unsafeBytes: UnsafeRawBufferPointer {
        @unsafe get { unsafe UnsafeRawBufferPointer(start: base + start, count: end - start) }
    }

    @inlinable package subscript(_ offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < end - start, "offset \(offset) is outside a buffer of \(count) bytes")
        return unsafe base[start + offset]
    }

    // MARK: Writing

    @inlinable package func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    @inlinable @unsafe package func append(_ bytes: UnsafeRawBufferPointer) {
        guard let from = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        unsafe UnsafeMutableRawPointer(base + end).copyMemory(from: from, byteCount: bytes.count)
        end += bytes.count
    }

    @inlinable package func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[end] = byte
        end += 1
    }

    @inlinable package func append(_ text: StaticString) {
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Literals are static strings: not this.
    @_disfavoredOverload @inlinable package func append(_ text: String) {
        var text = text
        text.withUTF8 { unsafe append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends the decimal digits of a number.
    package func append(decimal number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        let magnitude = number.magnitude
        if magnitude < 10 { return append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude)) }
        let digits = ASCII.decimalDigitCount(magnitude)
        reserve(digits)
        var rest = magnitude
        var at = end + digits
        repeat {
            at -= 1
            unsafe base[at] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        end += digits
    }

    /// Appends the sixteen hexadecimal digits of a number, in lower case.
    package func append(hexadecimal number: UInt64) {
        reserve(16)
        let space = unsafe UnsafeMutableRawPointer(base + end)
        let high = ASCII.hexDigits(of: UInt32(truncatingIfNeeded: number >> 32)).littleEndian
        let low = ASCII.hexDigits(of: UInt32(truncatingIfNeeded: number)).littleEndian
        unsafe space.storeBytes(of: high, as: UInt64.self)
        unsafe space.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
        end += 16
    }

    /// Appends what `fill` writes into the free space, of which there are at least `minimum` bytes.
    ///
    /// - Parameter fill: returns how many bytes it wrote at the front of the space it was given.
    @inlinable @unsafe package func appendUnsafe(
        minimum: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int
    ) {
        reserve(minimum)
        let space = unsafe UnsafeMutableRawBufferPointer(start: base + end, count: capacity - end)
        let written = unsafe fill(space)
        precondition(written >= 0 && written <= space.count, "wrote \(written) bytes into a space of \(space.count)")
        end += written
    }

    /// Makes sure that `byteCount` more bytes can be appended without another allocation.
    @inlinable package func reserve(_ byteCount: Int) {
        if capacity - end >= byteCount { return }
        makeRoom(byteCount)
    }

    @usableFromInline @inline(never) func makeRoom(_ byteCount: Int) {
        let used = end - start
        if capacity >= used + byteCount, start >= used {
            unsafe base.update(from: base + start, count: used)
        } else {
            let grown = max(used + byteCount, capacity * 2)
            let fresh = unsafe Self.allocate(grown)
            unsafe fresh.update(from: base + start, count: used)
            unsafe free(base)
            unsafe base = fresh
            capacity = grown
        }
        start = 0
        end = used
    }

    // MARK: Consuming

    /// Drops bytes from the front.
    @inlinable package func consume(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "consumed \(byteCount) of \(count) bytes")
        start += byteCount
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Keeps the first `byteCount` bytes only.
    @inlinable package func truncate(to byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "truncated to \(byteCount) of \(count) bytes")
        end = start + byteCount
    }

    @inlinable package func removeAll() {
        start = 0
        end = 0
    }

    /// Drops everything and gives the memory back, but for a little.
    package func giveBack() {
        removeAll()
        let fresh = unsafe Self.allocate(256)
        unsafe free(base)
        unsafe base = fresh
        capacity = 256
    }

    /// Drops everything, and overwrites the memory: it held a secret. What the buffer outgrew earlier is not reached.
    package func wipe() {
        removeAll()
        unsafe base.update(repeating: 0, count: capacity)
        unsafe Self.keep(base)
    }

    /// Neither inlined nor seen through: without a reader the optimiser may drop the writes that overwrite.
    @inline(never) @_optimize(none) private static func keep(_ address: UnsafeMutablePointer<UInt8>) {}

    /// Moves what stands from `offset` on towards the end, for a length that turns out to be longer than was left room for.
    ///
    /// The bytes of the space are what was there before; the caller replaces them.
    package func insertSpace(_ byteCount: Int, at offset: Int) {
        precondition(offset >= 0 && offset <= count && byteCount >= 0, "inserted bytes outside the buffer")
        reserve(byteCount)
        unsafe (base + start + offset + byteCount).update(from: base + start + offset, count: count - offset)
        end += byteCount
    }

    package func overwrite(at offset: Int, with byte: UInt8) {
        precondition(offset >= 0 && offset < count, "overwrote a byte outside the buffer")
        unsafe base[start + offset] = byte
    }

    /// Overwrites bytes that are already there, for a length that is known only at the end.
    package func replace(at offset: Int, with bytes: Span<UInt8>) {
        precondition(offset >= 0 && offset + bytes.count <= count, "replaced bytes outside the buffer")
        for index in bytes.indices { unsafe base[start + offset + index] = bytes[index] }
    }
}

extension ByteBuffer {
    /// A copy as text; bytes that are not UTF-8 become U+FFFD.
    package var text: String { String(decoding: span) }
}

extension String {
    /// Text from bytes; what is not UTF-8 becomes U+FFFD.
    package init(decoding bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
