internal import SluiceCore

/// One stream of one session: its number on the wire, and where the session keeps it.
///
/// A handle to a stream that has closed is harmless: what is asked of it is ignored.
package struct StreamID: Hashable, Sendable, CustomStringConvertible {
    /// 1 to 2^31 - 1, never used twice on a connection.
    package let number: Int32
    let slot: Int32

    package var description: String { "stream \(number)" }
}

/// What a session knows of an open stream.
struct HTTP2Stream {
    struct Marks: OptionSet {
        let rawValue: UInt16
        /// The delegate knows of the stream, and shall hear of its end.
        static let isAnnounced = Marks(rawValue: 1 << 0)
        /// The final head has been received: another header block is trailers.
        static let hasHead = Marks(rawValue: 1 << 1)
        static let peerEnded = Marks(rawValue: 1 << 2)
        /// Our head has been submitted; and has been serialised.
        static let headSubmitted = Marks(rawValue: 1 << 3)
        static let headSent = Marks(rawValue: 1 << 4)
        /// We shall send nothing more than what is queued.
        static let isFinishing = Marks(rawValue: 1 << 5)
        static let weEnded = Marks(rawValue: 1 << 6)
        /// The library waits until it is told that there are bytes to send.
        static let isDeferred = Marks(rawValue: 1 << 7)
        /// Whatever else arrives is dropped.
        static let isDiscarding = Marks(rawValue: 1 << 8)
        static let isHeadRequest = Marks(rawValue: 1 << 9)
        static let wasResetByOwner = Marks(rawValue: 1 << 10)
        static let isAboveLow = Marks(rawValue: 1 << 11)
    }

    /// 0 when the slot is free.
    var number: Int32 = 0
    var marks: Marks = []
    /// Bytes of the window that the delegate holds.
    var unconsumedByteCount = 0
    /// How much of the declared length is still to be sent; `nil` if none was declared.
    var undeliveredByteCount: Int?
    var openedAt = Instant(nanoseconds: 0)
    /// Body bytes to send. Made with the first of them, and kept for the slot's next stream.
    var outbound: ByteQueue?
    var trailers: HeaderFields?
}

/// The open streams of a session, in slots that are used again.
struct StreamTable {
    private(set) var openCount = 0
    var slots: [HTTP2Stream] = []
    private var free: [Int] = []

    mutating func open(_ number: Int32, at now: Instant) -> Int {
        openCount += 1
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(HTTP2Stream()) }
        slots[slot].number = number
        slots[slot].openedAt = now
        return slot
    }

    mutating func close(_ slot: Int) {
        let spare = slots[slot].outbound
        spare?.removeAll()
        slots[slot] = HTTP2Stream()
        slots[slot].outbound = spare
        free.append(slot)
        openCount -= 1
    }

    /// Where an open stream is kept.
    func slot(of stream: StreamID) -> Int? {
        let slot = Int(stream.slot)
        return slot < slots.count && slots[slot].number == stream.number ? slot : nil
    }

    func id(_ slot: Int) -> StreamID { StreamID(number: slots[slot].number, slot: Int32(truncatingIfNeeded: slot)) }
}
