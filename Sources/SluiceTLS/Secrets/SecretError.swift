/// Why something was not sealed or opened. It says what to do, and holds nothing secret.
package enum SecretError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no master key at all.
    case noKey
    /// Not what `SecretVault` writes.
    case malformed
    /// Sealed with a master key that is not here.
    case unknownKey(SecretKeyID, known: [SecretKeyID])
    /// The key is here, but the text has been changed, or was sealed for another purpose.
    case doesNotOpen(SecretKeyID)
    case tooLong(byteCountMax: Int)

    package var description: String {
        switch self {
        case .noKey:
            "there is no master key: name one with secrets.key_file, secrets.key_env or secrets.key_command"
        case .malformed:
            "not a sealed value as `sluice secret encrypt` writes it, sealed:v1:KEY:TEXT; seal the secret again"
        case .unknownKey(let id, let known):
            "sealed with the master key \(id), which is not here (here: \(Self.list(known))); add that key below the "
                + "current one, or seal the secret again"
        case .doesNotOpen(let id):
            "the master key \(id) does not open it: it was changed, or sealed for another place; seal the secret for "
                + "this place again"
        case .tooLong(let byteCountMax):
            "longer than \(byteCountMax) bytes"
        }
    }

    private static func list(_ ids: [SecretKeyID]) -> String {
        ids.isEmpty ? "none" : ids.map(\.description).joined(separator: ", ")
    }
}
