package import SluiceCore

/// A token that is good until a time.
package struct ExpiringToken: Sendable {
    package let value: Secret
    /// Seconds since 1970.
    package let expiresAt: Int

    package init(_ value: Secret, expiresAt: Int) {
        self.value = value
        self.expiresAt = expiresAt
    }

    /// Whether it is still good, with `marginSeconds` to spare.
    package func isGood(at seconds: Int, marginSeconds: Int) -> Bool { expiresAt - marginSeconds > seconds }
}
