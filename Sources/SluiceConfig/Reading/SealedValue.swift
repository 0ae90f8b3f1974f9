internal import SluiceCore
internal import SluiceTLS

extension ConfigPath {
    /// What a sealed value at this place was sealed for: the place without the numbers of list elements, which change when
    /// the list does. `access.keys[2].secret` is `access.keys.secret`.
    package static func purpose(of path: String) -> String {
        var purpose = ""
        var isQuoted = false
        var isNumber = false
        var previous: Character?
        for character in path {
            if character == "\"" , previous != "\\" { isQuoted.toggle() }
            if !isQuoted, previous == "[", character.isNumber {
                isNumber = true
                purpose.removeLast()
            }
            if !isNumber { purpose.append(character) }
            if isNumber, character == "]" { isNumber = false }
            previous = character
        }
        return purpose
    }
}

extension ConfigContext {
    /// Opens a secret that is written sealed; any other is returned as it is.
    ///
    /// - Throws: what is wrong, and what to do. A sealed value that does not open is never used as it stands.
    func opened(_ secret: Secret) throws(ConfigRefusal) -> Secret {
        guard secret.withExposed({ SecretVault.isSealed($0) }) else { return secret }
        do throws(SecretError) {
            let text = secret.exposedText
            let opened = try vault.open(text, purpose: ConfigPath.purpose(of: place))
            if let id = SecretVault.keyID(ofText: text) { noteSealed(place, id) }
            return opened
        } catch {
            throw .because("\(error)")
        }
    }
}
