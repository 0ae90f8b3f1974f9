/// How a place in a configuration is written: `clusters[2].pool.idle_ms`, `models["gpt-4.1"].provider`.
package enum ConfigPath {
    /// The longest key or value repeated in a message, in characters.
    static let shownLengthMax = 80

    package static func child(of parent: String, _ key: String) -> String {
        let isPlain = 1...shownLengthMax ~= key.utf8.count && key.utf8.allSatisfy(\.isNameByte)
        if !isPlain { return parent + "[" + quoted(key) + "]" }
        return parent.isEmpty ? key : parent + "." + key
    }

    package static func element(of parent: String, _ index: Int) -> String { "\(parent)[\(index)]" }

    /// Text from a configuration as it may stand in a message: one line, and not longer than fits there.
    package static func quoted(_ text: String) -> String {
        ConfigValue.quoted(text.count > shownLengthMax ? text.prefix(shownLengthMax) + "…" : text)
    }
}
