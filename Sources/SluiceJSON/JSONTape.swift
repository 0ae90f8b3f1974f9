internal import SluiceCore

/// A validated JSON document as a flat list of where its values are. It holds none of the document's bytes.
///
/// A tape is made once and used for one document after another; once it has grown to what documents need, scanning allocates
/// nothing. Values are read through `root(over:)`, with the same bytes that were scanned.
@safe package final class JSONTape {
    /// Entries kept between documents (256 KB): what a larger one needed is given back by the next `scan` or `clear`.
    static let capacityKept = 1 << 14
    private static let capacityAtFirst = 64

    private(set) var entries: UnsafeMutablePointer<JSONEntry>
    private(set) var capacity: Int
    /// Entries in use: zero if there is no valid document.
    private(set) var count = 0
    /// Tells this document's nodes from those of documents before it.
    private(set) var generation: UInt32 = 0
    /// The length of the scanned document, in bytes.
    package private(set) var byteCount = 0

    /// Whether there is no document: nothing was scanned, or what was scanned was refused.
    package var isEmpty: Bool { count == 0 }

    package init() {
        capacity = Self.capacityAtFirst
        unsafe entries = .allocate(capacity: Self.capacityAtFirst)
    }

    deinit { unsafe entries.deallocate() }

    /// Reads a whole document: RFC 8259, in UTF-8, without a byte order mark, and nothing after it but white space.
    ///
    /// Strict in all but one thing: an escaped surrogate without its other half (`\ud800`) is within the grammar and is
    /// accepted; it reads as U+FFFD. A key may occur more than once (§4): see `JSONValue.count(of:)`.
    /// - Throws: what is wrong and where. The tape is empty then.
    package func scan(_ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        clear()
        let byteCountMax = min(limits.byteCountMax, Int(UInt32.max) - 1)
        if bytes.count > byteCountMax { throw JSONError(.tooLong, at: byteCountMax) }
        count = try unsafe bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
            guard let base = buffer.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
            var scanner = unsafe JSONScanner(base, count: buffer.count, onto: self, limits: limits)
            return try scanner.scan()
        }
        byteCount = bytes.count
    }

    /// Forgets the document.
    package func clear() {
        count = 0
        byteCount = 0
        generation &+= 1
        if capacity > Self.capacityKept { resize(to: Self.capacityKept, keeping: 0) }
    }

    /// Makes room for more entries than `used`, and at most for `limit`.
    func grow(used: Int, limit: Int) {
        resize(to: min(max(capacity * 2, used + 1), limit), keeping: used)
    }

    private func resize(to newCapacity: Int, keeping used: Int) {
        let fresh = UnsafeMutablePointer<JSONEntry>.allocate(capacity: newCapacity)
        unsafe fresh.update(from: entries, count: used)
        unsafe entries.deallocate()
        unsafe entries = fresh
        capacity = newCapacity
    }

    @inline(__always) func entry(_ index: Int) -> JSONEntry {
        precondition(index >= 0 && index < count, "no entry of that index: the tape was used for another document")
        return unsafe entries[index]
    }
}

extension JSONTape {
    /// The document's value, read over the bytes that were scanned, wherever they are now.
    ///
    /// The result is valid while both the bytes and this document are; the compiler sees to the bytes.
    @_lifetime(borrow self, copy bytes)
    package func root(over bytes: Span<UInt8>) -> JSONValue {
        value(JSONNode(index: 0, generation: generation), over: bytes)
    }

    /// The value that a node stands for.
    @_lifetime(borrow self, copy bytes)
    package func value(_ node: JSONNode, over bytes: Span<UInt8>) -> JSONValue {
        precondition(bytes.count == byteCount, "the tape is of \(byteCount) bytes, not of these \(bytes.count)")
        precondition(node.generation == generation, "the node is of a document that the tape no longer describes")
        precondition(Int(node.index) < count, "there is no document on the tape")
        return JSONValue(bytes, self, Int(node.index))
    }
}

/// The place of a value on its tape: what may be kept, when a `JSONValue` may not. Good until the tape's next `scan`.
package struct JSONNode: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32
}
