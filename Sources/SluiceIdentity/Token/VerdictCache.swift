package import SluiceCore
package import SluicePolicy
internal import SluiceTLS
internal import Synchronization

/// What is known of tokens that were shown before: who showed them, or that they are worth nothing. Shared by all
/// workers.
///
/// Tokens are found by their SHA-256 hash, and not kept. An entry ends with its token, and when what it was made of is
/// not in force any more: the policy, or the keys of its issuer.
package final class VerdictCache: Sendable {
    package struct Entry: Sendable {
        package enum Verdict: Sendable {
            case principal(Principal)
            /// Of a token that Sluice itself has issued for this key: the key says who it is for, and whether it still
            /// counts.
            case key(id: String)
            case refused(CredentialRefusal)
        }

        package var verdict: Verdict
        /// In seconds since 1970, by the same clock that tokens are checked with.
        package var until: Int
        /// By the monotonic clock: a clock that is set back makes nothing last longer.
        package var freshUntil: Instant
        package var policy: UInt32
        /// Which of its issuer's key sets verified it.
        package var keys: KeySource.Revision?

        package init(
            _ verdict: Verdict, until: Int, freshUntil: Instant, policy: UInt32, keys: KeySource.Revision? = nil
        ) {
            self.verdict = verdict
            self.until = until
            self.freshUntil = freshUntil
            self.policy = policy
            self.keys = keys
        }
    }

    /// The hash of a token.
    package struct Key: Hashable, Sendable {
        private let words: InlineArray<4, UInt64>

        package init(_ token: Span<UInt8>) {
            let digest = SHA256.hash(token)
            let bytes = digest.span
            words = InlineArray { word in
                var value: UInt64 = 0
                for offset in 0..<8 { value = value << 8 | UInt64(bytes[word * 8 + offset]) }
                return value
            }
        }

        var part: Int { Int(truncatingIfNeeded: words[1]) & (partCount - 1) }

        package static func == (a: Self, b: Self) -> Bool {
            a.words[0] == b.words[0] && a.words[1] == b.words[1] && a.words[2] == b.words[2] && a.words[3] == b.words[3]
        }

        /// The words are spread evenly already, and the hasher has a seed.
        package func hash(into hasher: inout Hasher) { hasher.combine(words[0]) }
    }

    private final class Part: Sendable {
        let entries = Mutex<[Key: Entry]>([:])
    }

    private static var partCount: Int { 16 }
    private let parts: [Part]
    private let countMaxOfPart: Int

    /// - Parameter countMax: how many tokens are remembered, at least 16.
    package init(countMax: Int) {
        parts = (0..<Self.partCount).map { _ in Part() }
        countMaxOfPart = max(1, countMax / Self.partCount)
    }

    /// - Parameters:
    ///   - seconds: since 1970.
    ///   - now: by the monotonic clock.
    package func entry(_ key: Key, policy: UInt32, seconds: Int, now: Instant) -> Entry.Verdict? {
        let entry = parts[key.part].entries.withLock { $0[key] }
        guard let entry, entry.policy == policy, seconds < entry.until, now < entry.freshUntil,
            entry.keys?.isCurrent ?? true
        else { return nil }
        return entry.verdict
    }

    package func keep(_ entry: Entry, of key: Key, seconds: Int, now: Instant) {
        parts[key.part].entries.withLock { entries in
            if entries.count >= countMaxOfPart, entries[key] == nil {
                entries = entries.filter { seconds < $0.value.until && now < $0.value.freshUntil }
                // All of them are good: what is forgotten now costs a check each, once.
                if entries.count >= countMaxOfPart { entries.removeAll(keepingCapacity: true) }
            }
            entries[key] = entry
        }
    }

    package var count: Int { parts.reduce(0) { $0 + $1.entries.withLock(\.count) } }
    package func removeAll() { for part in parts { part.entries.withLock { $0.removeAll() } } }
}
