internal import SluiceCore

/// Tells what is new in each event of a stream whose events may hold the whole text so far instead of the next piece of it
/// (alibaba sheet, section 3.3: `incremental_output`, which some models do not heed).
///
/// Pieces are taken as such until one begins with everything that came before and goes on: from then on each event must.
struct StreamGrowth {
    enum Place: Equatable {
        case text, reasoning
        case arguments(Int)
    }

    private enum Mode { case unknown, incremental, cumulative }

    private var mode = Mode.unknown
    /// What came so far at each place, as it stands in JSON strings; forgotten once events are known to be pieces.
    private var told: [(place: Place, text: ByteBuffer)] = []
    /// An event took back what was said before.
    private(set) var isBroken = false

    init() {}

    init(isIncremental: Bool) { if isIncremental { mode = .incremental } }

    /// What of `text` was not there before.
    @_lifetime(copy text)
    mutating func new(in text: Span<UInt8>, at place: Place) -> Span<UInt8> {
        if mode == .incremental || text.isEmpty { return text }
        guard let known = told.first(where: { $0.place == place })?.text else {
            let buffer = ByteBuffer(capacity: max(64, text.count))
            buffer.append(text)
            told.append((place, buffer))
            return text
        }
        let begins = text.begins(with: known.span)
        if mode == .unknown {
            mode = begins && Self.isTelling(text, after: known.span) ? .cumulative : .incremental
            if mode == .incremental {
                told = []
                return text
            }
        }
        guard begins else {
            isBroken = true
            return text.extracting(0..<0)
        }
        let new = text.extracting(known.count..<text.count)
        known.append(new)
        return new
    }

    /// Whether it cannot well be by chance that a piece begins with what was before: not where that is a blank, a digit or a mark,
    /// and not where the piece only says it again ("ha", "haha").
    private static func isTelling(_ text: Span<UInt8>, after known: Span<UInt8>) -> Bool {
        if text.count <= known.count { return false }
        let rest = text.extracting(known.count..<text.count)
        if rest.count == known.count, rest.begins(with: known) { return false }
        for index in known.indices
        where known[index].isASCIILetter || known[index] >= 0x80 || known[index] == UInt8(ascii: "{") {
            return true
        }
        return false
    }
}

extension Span where Element == UInt8 {
    func begins(with prefix: Span<UInt8>) -> Bool {
        if count < prefix.count { return false }
        for index in prefix.indices where self[index] != prefix[index] { return false }
        return true
    }
}
