package import SluiceTLS

/// A store of sealed values that can be moved to another master key, a batch at a time, while it is used.
///
/// Moving is idempotent: a value that the current key has sealed stays as it is. So nothing need be remembered: after a
/// restart a store is gone through from its beginning, and what had been moved is passed over.
package protocol Resealable: Sendable {
    /// For reports: `records.bodies`.
    var sealedStoreName: String { get }

    /// Looks at the values after `cursor` and seals those anew that the vault's current key has not sealed.
    ///
    /// Called on the rotation's thread, which may block. A value that is changed by others in the meantime must not be
    /// overwritten with what it was (`UPDATE … WHERE value = ?`).
    /// - Parameters:
    ///   - cursor: of the batch before; `nil` at the beginning.
    ///   - count: how many values to look at, at most.
    func reseal(after cursor: String?, count: Int, with vault: SecretVault) throws -> ResealedBatch
}

/// What became of one batch.
package struct ResealedBatch: Sendable {
    /// Where the next batch begins; `nil`: this was the last.
    package var cursor: String?
    package var lookedAt = 0
    package var moved = 0
    /// Values that do not open: their key is not here, or they are damaged. They stay as they are.
    package var unreadable = 0
    /// How many of the values looked at each key seals now.
    package var keys: [SecretKeyID: Int] = [:]

    package init() {}

    /// Counts one value, and moves it if need be.
    ///
    /// - Parameters:
    ///   - sealed: the value as it is stored.
    ///   - move: seals it anew and stores it.
    package mutating func take(
        sealedBy key: SecretKeyID?, with vault: SecretVault, move: () throws(SecretError) -> Void
    ) {
        lookedAt += 1
        guard let key else {
            unreadable += 1
            return
        }
        guard let current = vault.currentKeyID, key != current else {
            keys[key, default: 0] += 1
            return
        }
        do throws(SecretError) {
            try move()
            moved += 1
            keys[current, default: 0] += 1
        } catch {
            unreadable += 1
            keys[key, default: 0] += 1
        }
    }
}
