internal import SluiceCore

/// A body as the pieces that are sent one by one, written before the first is sent, and how it ends.
///
/// The pieces stand in one buffer. What goes wrong with a stream is done to this list: see `Script+Faults`.
struct Script {
    struct Piece {
        var start: UInt32
        var end: UInt32
    }

    enum End {
        /// As it should be.
        case proper
        /// The connection is closed instead.
        case cut
        /// Nothing more happens.
        case stalled
        /// Keep-alives come and nothing else.
        case keptAlive
    }

    let buffer: ByteBuffer
    private(set) var pieces: [Piece] = []
    /// Which pieces carry content; before them stand those that open the stream.
    private(set) var content = 0..<0
    /// Those that say why it ended.
    private(set) var finish = 0..<0
    /// Those after which clients stop reading.
    private(set) var done = 0..<0
    var end = End.proper
    /// What the head says about the length; `nil` if it says nothing.
    var announcedByteCount: Int?
    /// What is sent to keep the connection alive.
    var keepAlive: [UInt8] = []

    init(capacity: Int = 1024) { buffer = ByteBuffer(capacity: capacity) }

    var count: Int { pieces.count }

    /// Adds what `write` appends to the buffer as one piece.
    mutating func piece(_ write: (ByteBuffer) -> Void) {
        let start = buffer.count
        write(buffer)
        pieces.append(Piece(start: UInt32(clamping: start), end: UInt32(clamping: buffer.count)))
    }

    /// Adds an event that has only data; `write` appends JSON, which has no line end in it.
    mutating func event(_ write: (ByteBuffer) -> Void) {
        piece { buffer in
            buffer.append("data: ")
            write(buffer)
            buffer.append("\n\n")
        }
    }

    /// Adds an event with a name.
    mutating func event(_ name: StaticString, _ write: (ByteBuffer) -> Void) {
        piece { buffer in
            buffer.append("event: ")
            buffer.append(name)
            buffer.append("\ndata: ")
            write(buffer)
            buffer.append("\n\n")
        }
    }

    func range(of index: Int) -> Range<Int> {
        let piece = pieces[index]
        return Int(piece.start)..<max(Int(piece.start), Int(piece.end))
    }

    // MARK: Parts

    mutating func beginContent() { content = count..<count }
    mutating func endContent() { content = content.lowerBound..<count }
    mutating func beginFinish() { finish = count..<count }
    mutating func endFinish() { finish = finish.lowerBound..<count }

    /// Adds what a stream ends with in another dialect.
    mutating func done(_ write: (ByteBuffer) -> Void) {
        done = count..<count + 1
        piece(write)
    }

    mutating func appendDone() {
        done = count..<count + 1
        piece { $0.append("data: [DONE]\n\n") }
    }

    // MARK: Editing

    /// Keeps the first pieces only.
    mutating func truncate(to count: Int) {
        pieces.removeSubrange(min(count, pieces.count)...)
        content = content.clamped(to: 0..<count)
        finish = finish.clamped(to: 0..<count)
        done = done.clamped(to: 0..<count)
    }

    /// Takes pieces out; those after them move up.
    mutating func remove(_ range: Range<Int>) {
        pieces.removeSubrange(range)
        finish = range.lowerBound..<range.lowerBound
        done = done.isEmpty ? done : done.lowerBound - range.count..<done.upperBound - range.count
    }

    /// Keeps a share of one piece's bytes.
    mutating func shorten(_ index: Int, to share: Double) {
        guard pieces.indices.contains(index) else { return }
        let range = range(of: index)
        pieces[index].end = UInt32(clamping: range.lowerBound + Int(Double(range.count) * share))
    }

    /// All of it in pieces of so many bytes, paced as content is.
    mutating func divide(by byteCount: Int) {
        var divided: [Piece] = []
        for index in pieces.indices {
            let range = range(of: index)
            for start in stride(from: range.lowerBound, to: range.upperBound, by: byteCount) {
                let end = min(start + byteCount, range.upperBound)
                divided.append(Piece(start: UInt32(clamping: start), end: UInt32(clamping: end)))
            }
        }
        pieces = divided
        content = 0..<count
        finish = count..<count
        done = count..<count
    }

    /// Puts the last piece in another place.
    mutating func moveLast(to index: Int) {
        guard let last = pieces.popLast() else { return }
        pieces.insert(last, at: min(index, pieces.count))
    }

    /// How many pieces stand before the end of that share of the content.
    func pieceCount(untilShare share: Double) -> Int {
        content.lowerBound + Int(Double(content.count) * share)
    }
}
