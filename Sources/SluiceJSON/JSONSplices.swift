package import SluiceCore

/// An edited document as runs of the original and of what was put in: the original is never copied. It does not need the tape.
package struct JSONSplices {
    private enum Source { case original, inserted }
    private struct Run {
        let source: Source
        let range: Range<Int>
    }

    private var runs: [Run] = []
    private let inserted: ByteBuffer?
    private let originalCount: Int
    /// The edited document's length in bytes.
    package private(set) var byteCount = 0

    /// - Parameter pieces: what replaces which bytes of the original, sorted. One that starts within another is dropped.
    init(_ pieces: [JSONPiece], inserted: ByteBuffer?, originalCount: Int) {
        self.inserted = inserted
        self.originalCount = originalCount
        var done = 0
        for piece in pieces where piece.original.lowerBound >= done {
            append(.original, done..<piece.original.lowerBound)
            append(.inserted, piece.inserted)
            done = piece.original.upperBound
        }
        append(.original, done..<originalCount)
    }

    private mutating func append(_ source: Source, _ range: Range<Int>) {
        if range.isEmpty { return }
        runs.append(Run(source: source, range: range))
        byteCount += range.count
    }

    /// The edited document's runs, in order: each a part of the buffer or of what was put in. Nobody may change the buffer while
    /// they are in use.
    ///
    /// - Parameter start: where the document starts in the buffer.
    package func forEachRun(sharing buffer: ByteBuffer, from start: Int = 0, _ body: (ByteBuffer, Range<Int>) -> Void) {
        precondition(start >= 0 && originalCount <= buffer.count - start, "the edited document is not in the buffer")
        for run in runs {
            switch run.source {
            case .original: body(buffer, start + run.range.lowerBound..<start + run.range.upperBound)
            case .inserted: if let inserted { body(inserted, run.range) }
            }
        }
    }

    /// Queues the edited document; large runs are shared.
    package func append(to queue: ByteQueue, sharing buffer: ByteBuffer, from start: Int = 0) {
        forEachRun(sharing: buffer, from: start) { buffer, range in queue.append(sharing: buffer, range) }
    }

    /// Copies the edited document to the end of a buffer.
    package func append(to buffer: ByteBuffer, from bytes: Span<UInt8>) {
        precondition(bytes.count == originalCount, "these are not the bytes that were edited")
        buffer.reserve(byteCount)
        for run in runs {
            switch run.source {
            case .original: buffer.append(bytes.extracting(run.range))
            case .inserted: if let inserted { buffer.append(inserted.span.extracting(run.range)) }
            }
        }
    }
}

/// What replaces a range of the original, which may be empty.
struct JSONPiece {
    let original: Range<Int>
    let inserted: Range<Int>
    /// Among pieces for the same place, the order in which they come.
    let order: Int

    /// Insertions come before what replaces the bytes that follow.
    static func precedes(_ a: JSONPiece, _ b: JSONPiece) -> Bool {
        if a.original.lowerBound != b.original.lowerBound { return a.original.lowerBound < b.original.lowerBound }
        if a.original.isEmpty != b.original.isEmpty { return a.original.isEmpty }
        return a.order < b.order
    }
}
