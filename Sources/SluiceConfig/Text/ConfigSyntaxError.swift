/// Why a text is not JSON5: where, what is there, and what may be there instead.
///
/// What was found is a character or the name of a thing, never a stretch of the text: that may be a secret.
package struct ConfigSyntaxError: Error, Equatable, CustomStringConvertible {
    package var location: ConfigLocation
    package var found: String
    package var expected: String

    package var description: String { "\(location): \(message)" }
    package var message: String { "found \(found); expected \(expected)" }
}
