/// Why bytes are not a JSON document that is accepted here.
package struct JSONError: Error, Hashable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        case unexpectedEnd, valueExpected, keyExpected, colonExpected, memberEndExpected, elementEndExpected
        case invalidLiteral, invalidNumber, invalidEscape, controlCharacter, invalidUTF8
        case trailingBytes, byteOrderMark, tooDeep, tooLong, tooManyEntries
    }

    package let kind: Kind
    /// Where it went wrong, in bytes from the start of the document.
    package let offset: Int

    package init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    /// A sentence without its full stop, fit for whoever sent the document: it quotes nothing of it.
    package var description: String { "\(kind.sentence) at byte \(offset)" }
}

extension JSONError.Kind {
    fileprivate var sentence: String {
        switch self {
        case .unexpectedEnd: "the document ends too early"
        case .valueExpected: "a value was expected"
        case .keyExpected: "a key in quotation marks was expected"
        case .colonExpected: "a colon was expected"
        case .memberEndExpected: "a comma or a closing brace was expected"
        case .elementEndExpected: "a comma or a closing bracket was expected"
        case .invalidLiteral: "a word other than true, false and null stands"
        case .invalidNumber: "a number is not well formed"
        case .invalidEscape: "an escape sequence is not well formed"
        case .controlCharacter: "a control character stands unescaped in a string"
        case .invalidUTF8: "a string is not valid UTF-8"
        case .trailingBytes: "the document goes on after its end"
        case .byteOrderMark: "the document starts with a byte order mark"
        case .tooDeep: "arrays and objects are nested too deeply"
        case .tooLong: "the document is longer than is accepted"
        case .tooManyEntries: "the document has more values than are accepted"
        }
    }
}
