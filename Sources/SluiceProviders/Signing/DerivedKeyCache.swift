internal import SluiceCore
internal import SluiceTLS

/// The signing keys of the day: a request then costs one chain of HMACs less.
///
/// Belongs to whoever signs, with the credentials: an entry is found by the key's public half, so that credentials
/// whose secret is replaced need a new cache.
package struct DerivedKeyCache: Sendable {
    /// What a derived key is good for besides its day.
    struct Scope: Equatable, Sendable {
        /// The public half of the credentials.
        let keyID: String
        /// Region and service, as the recipe spells them.
        let text: String
    }

    private struct Entry {
        let day: Int
        let scope: Scope
        let key: Secret
    }

    /// More scopes than this take turns.
    private static let entriesMax = 8
    private var entries: [Entry] = []

    package init() {}

    /// How many keys are kept.
    package var count: Int { entries.count }

    /// - Parameter day: since 1970-01-01.
    mutating func key(day: Int, scope: Scope, derive: () -> Digest) -> Secret {
        if let known = entries.firstIndex(where: { $0.scope == scope }) {
            if entries[known].day == day { return entries[known].key }
            entries.remove(at: known)
        } else if entries.count == Self.entriesMax {
            entries.removeFirst()
        }
        let key = Secret(derive().span)
        entries.append(Entry(day: day, scope: scope, key: key))
        return key
    }
}
