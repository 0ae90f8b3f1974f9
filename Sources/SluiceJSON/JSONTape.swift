internal import SluiceCore

/// A validated JSON document as a flat list of where its values are. It holds none of the document's bytes.
///
/// A tape is made once and used for one document after another; once it has grown to what documents need, scanning
/// allocates nothing. Values are read through `root(over:)`, with the same bytes that were scanned.
@safe package final class JSONTape {
    /// Entries kept between documents (256 KB): what a larger one needed is given back by the next `scan` or `clear`.
    static let capacityKept = 1 << 14
    private static let capacityAtFirst = 64

    let storage: UnsafeMutablePointer<JSONTapeStorage>
    /// The length of the scanned document, in bytes.
    package private(set) var byteCount = 0

    /// Whether there is no document: nothing was scanned, or what was scanned was refused.
    package var isEmpty: Bool { unsafe storage.pointee.count == 0 }

    package init() {
        unsafe storage = .allocate(capacity: 1)
        unsafe storage.initialize(to: JSONTapeStorage(capacity: Self.capacityAtFirst))
    }

    deinit {
        unsafe storage.pointee.deallocate()
        unsafe storage.deallocate()
    }

    /// How often a document was read: whoever reads one can tell later whether the tape still holds it.
    package private(set) var scanCount = 0

    /// Reads a whole document: RFC 8259, in UTF-8, without a byte order mark, and nothing after it but white space.
    ///
    /// Strict in all but one thing: an escaped surrogate without its other half (`\ud800`) is within the grammar and is
    /// accepted; it reads as U+FFFD. A key may occur more than once (§4): see `JSONValue.count(of:)`.
    /// - Throws: what is wrong and where. The tape is empty then.
    package func scan(_ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        clear()
        scanCount &+= 1
        let byteCountMax = min(limits.byteCountMax, Int(UInt32.max) - 1)
        if bytes.count > byteCountMax { throw JSONError(.tooLong, at: byteCountMax) }
        unsafe storage.pointee.count = try unsafe bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
            guard let base = buffer.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
            var scanner = unsafe JSONScanner(base, count: buffer.count, onto: storage, limits: limits)
            return try scanner.scan()
        }
        byteCount = bytes.count
    }

    /// Forgets the document.
    package func clear() {
        byteCount = 0
        unsafe storage.pointee.count = 0
        unsafe storage.pointee.generation &+= 1
        if unsafe storage.pointee.capacity > Self.capacityKept {
            unsafe storage.pointee.resize(to: Self.capacityKept, keeping: 0)
        }
    }
}

extension JSONTape {
    /// The document's value, read over the bytes that were scanned, wherever they are now.
    ///
    /// The result is valid while both the bytes and this document are; the compiler sees to the bytes.
    @_lifetime(borrow self, copy bytes)
    package func root(over bytes: Span<UInt8>) -> JSONValue {
        unsafe value(JSONNode(index: 0, generation: storage.pointee.generation), over: bytes)
    }

    /// The value that a node stands for.
    @_lifetime(borrow self, copy bytes)
    package func value(_ node: JSONNode, over bytes: Span<UInt8>) -> JSONValue {
        precondition(bytes.count == byteCount, "the tape is of \(byteCount) bytes, not of these \(bytes.count)")
        let value = unsafe JSONValue(bytes, storage, node)
        return unsafe _overrideLifetime(_overrideLifetime(value, borrowing: self), copying: bytes)
    }
}

/// The place of a value on its tape: what may be kept, when a `JSONValue` may not. Good until the tape's next `scan`.
package struct JSONNode: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32
}
