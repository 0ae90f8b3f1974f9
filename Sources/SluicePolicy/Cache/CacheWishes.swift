internal import SluiceCore

/// What a request says about the cache: `Cache-Control` (RFC 9111 §5.2.1), and our own fields.
package struct CacheWishes: Sendable, Equatable {
    /// A kept answer will not do (`no-cache`).
    package var refusesKept = false
    /// The answer is not to be kept (`no-store`).
    package var refusesKeeping = false
    /// A kept answer may be so old at most (`max-age`).
    package var ageMax: Duration?
    /// How long the answer is to be kept (`x-sluice-cache-ttl`, in seconds).
    package var ttl: Duration?
    /// The answer is to be cached although another time it might be another (`x-sluice-cache: use`, or a TTL).
    package var asksForCache = false
    /// More than anybody means; keeps sums from overflowing.
    private static let secondsMax = 1 << 32

    package init() {}

    /// Reads a line of `cache-control`; what is not known is left out, as RFC 9111 §5.2 has it.
    package mutating func read(cacheControl line: Span<UInt8>) {
        var start = 0
        while start <= line.count {
            var end = start
            while end < line.count, line[end] != UInt8(ascii: ",") { end += 1 }
            read(directive: Self.trimmed(line.extracting(start..<end)))
            start = end + 1
        }
    }

    private mutating func read(directive: Span<UInt8>) {
        if ASCII.equalsIgnoringCase(directive, "no-cache") {
            refusesKept = true
        } else if ASCII.equalsIgnoringCase(directive, "no-store") {
            refusesKept = true
            refusesKeeping = true
        } else if directive.count > 8, ASCII.equalsIgnoringCase(directive.extracting(0..<8), "max-age=") {
            var value = directive.extracting(8..<directive.count)
            if value.count >= 2, value[0] == UInt8(ascii: "\""), value[value.count - 1] == UInt8(ascii: "\"") {
                value = value.extracting(1..<value.count - 1)
            }
            ageMax = Self.seconds(value) ?? .zero
        }
    }

    /// Reads `x-sluice-cache`.
    package mutating func read(mode: Span<UInt8>) {
        let mode = Self.trimmed(mode)
        if ASCII.equalsIgnoringCase(mode, "bypass") {
            refusesKept = true
            refusesKeeping = true
        } else if ASCII.equalsIgnoringCase(mode, "use") {
            asksForCache = true
        }
    }

    /// Reads `x-sluice-cache-ttl`; zero is as good as `no-store`.
    package mutating func read(ttl: Span<UInt8>) {
        guard let ttl = Self.seconds(Self.trimmed(ttl)) else { return }
        if ttl == .zero {
            refusesKeeping = true
        } else {
            self.ttl = ttl
            asksForCache = true
        }
    }

    /// `nil` if it is no number; one that is too large is the largest (RFC 9111 §1.2.2).
    private static func seconds(_ text: Span<UInt8>) -> Duration? {
        if text.isEmpty { return nil }
        var seconds = 0
        for index in text.indices {
            guard let digit = text[index].decimalDigitValue else { return nil }
            seconds = min(seconds * 10 + Int(digit), secondsMax)
        }
        return .seconds(seconds)
    }

    @_lifetime(copy text)
    private static func trimmed(_ text: Span<UInt8>) -> Span<UInt8> {
        var start = 0
        var end = text.count
        while start < end, text[start] == ASCII.space || text[start] == ASCII.tab { start += 1 }
        while end > start, text[end - 1] == ASCII.space || text[end - 1] == ASCII.tab { end -= 1 }
        return text.extracting(start..<end)
    }
}
