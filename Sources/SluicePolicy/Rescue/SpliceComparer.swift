internal import SluiceCore

/// Compares an answer with what has been said already, piece by piece, and lets through what goes beyond it.
///
/// It compares the text itself, never JSON escapes, and it does not matter how the text is cut.
package struct SpliceComparer {
    package enum Verdict: Equatable {
        /// All of the piece has been said before.
        case swallowed
        /// From this byte of the piece on the answer goes beyond what has been said.
        case passes(from: Int)
        /// The answer says something else; so many bytes of what has been said were repeated until then.
        case differs(after: Int)
    }

    private let said: [UInt8]
    /// How much of it has been repeated.
    package private(set) var repeatedByteCount = 0

    package init(_ said: [UInt8]) { self.said = said }

    /// Whether all that has been said has been repeated.
    package var isDone: Bool { repeatedByteCount == said.count }

    /// The beginning of what has been said, as far as it has been repeated.
    package var repeated: ArraySlice<UInt8> { said[..<repeatedByteCount] }

    /// - Parameter piece: the next piece of the answer.
    package mutating func take(_ piece: Span<UInt8>) -> Verdict {
        var offset = 0
        while repeatedByteCount < said.count {
            if offset == piece.count { return .swallowed }
            if piece[offset] != said[repeatedByteCount] { return .differs(after: repeatedByteCount) }
            offset += 1
            repeatedByteCount += 1
        }
        return .passes(from: offset)
    }
}
