/// Configuration text: JSON5 (https://spec.json5.org), and with it JSON.
///
/// Two things that JSON5 allows are refused, as no setting can mean them: a key given twice, and Infinity and NaN.
package enum ConfigText {
    /// The largest text accepted, in bytes.
    package static let byteCountMax = 4 << 20
    /// How deep objects and lists may nest.
    package static let depthMax = 64
    /// The longest number accepted, in characters.
    package static let numberLengthMax = 128

    /// Reads a whole text.
    ///
    /// - Throws: the first mistake. The caller keeps what it had before.
    package static func parse(_ bytes: [UInt8]) throws(ConfigSyntaxError) -> ConfigValue {
        var parser = ConfigParser(bytes)
        return try parser.document()
    }

    package static func parse(_ text: String) throws(ConfigSyntaxError) -> ConfigValue {
        try parse(Array(text.utf8))
    }
}
