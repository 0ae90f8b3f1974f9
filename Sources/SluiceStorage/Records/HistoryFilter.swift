internal import SluiceCore

/// Which records are wanted. What is not given is not asked about.
package struct HistoryFilter: Sendable, Equatable {
    package var user: String?
    /// Who may see only his own: set by whoever checks permissions, never by the caller.
    package var principal: String?
    package var team: String?
    package var model: String?
    package var provider: String?
    package var outcome: InvocationRecord.Outcome?
    /// Every outcome but `complete`.
    package var isFailure = false
    package var httpStatus: Int?
    package var requestID: String?
    /// Stands in an error's message, an id, a name, the parameters or a body; ASCII letters in either case.
    package var text: String?
    /// Milliseconds since 1970: when the exchange ended.
    package var from: Int?
    /// The first moment that is not wanted any more.
    package var until: Int?

    package init() {}

    /// Tells the pages of one question from those of another.
    var fingerprint: Int {
        let parts: [String?] = [
            user, principal, team, model, provider, outcome.map { "\($0.rawValue)" }, isFailure ? "1" : nil,
            httpStatus.map { "\($0)" }, requestID, text, from.map { "\($0)" }, until.map { "\($0)" },
        ]
        return RecordInserter.hash(parts.map { $0.map { "\($0.utf8.count):\($0)" } ?? "-" }.joined(separator: ","))
    }
}

/// Where a page ends and the next one begins. Opaque to callers, and checked: it goes with the question it came from.
package struct HistoryCursor: Sendable, Equatable {
    /// Records with smaller keys come next.
    let key: Int

    init(key: Int) { self.key = key }

    /// - Returns: `nil` for what is no cursor, or belongs to another question.
    package init?(_ text: String, for filter: HistoryFilter) {
        let bytes = text.utf8Span.span
        guard bytes.count == 32 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in bytes.indices {
            guard let digit = bytes[index].hexDigitValue else { return nil }
            if index < 16 { words.0 = words.0 << 4 | UInt64(digit) } else { words.1 = words.1 << 4 | UInt64(digit) }
        }
        guard let key = Int(exactly: words.0),
            words.1 == UInt64(bitPattern: Int64(filter.fingerprint)) ^ Self.mix(words.0)
        else { return nil }
        self.key = key
    }

    package func text(for filter: HistoryFilter) -> String {
        let key = UInt64(bitPattern: Int64(key))
        return Self.hexadecimal(key) + Self.hexadecimal(UInt64(bitPattern: Int64(filter.fingerprint)) ^ Self.mix(key))
    }

    private static func mix(_ number: UInt64) -> UInt64 {
        let product = number &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 29
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
