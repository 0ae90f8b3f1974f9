internal import SluiceCore

/// Checks chunk extensions (RFC 9112 §7.1.1) byte by byte, so that no reader can see a line end in them where another sees
/// none.
struct ChunkExtension {
    private enum State {
        case beforeSemicolon, beforeName, name, afterName, beforeValue, value, quoted, quotedPair, afterQuoted
    }
    private var state: State

    /// - Parameter byte: what followed the size: `;`, a space or a tab.
    init(after byte: UInt8) { state = byte == UInt8(ascii: ";") ? .beforeName : .beforeSemicolon }

    /// Takes the next byte, and says whether it was the carriage return that ends the line.
    mutating func step(_ byte: UInt8) throws(BodyError) -> Bool {
        let isSpace = byte == ASCII.space || byte == ASCII.tab
        let isToken = CharacterClass.token.contains(byte)
        switch state {
        case .quoted:
            if byte == UInt8(ascii: "\"") {
                state = .afterQuoted
                return false
            }
            if byte == UInt8(ascii: "\\") {
                state = .quotedPair
                return false
            }
            if Self.isText(byte) { return false }
        case .quotedPair:
            if Self.isText(byte) {
                state = .quoted
                return false
            }
        case .beforeName where isSpace, .beforeValue where isSpace, .beforeSemicolon where isSpace,
            .afterName where isSpace:
            return false
        case .beforeName where isToken, .name where isToken:
            state = .name
            return false
        case .beforeValue where isToken, .value where isToken:
            state = .value
            return false
        case .beforeValue where byte == UInt8(ascii: "\""):
            state = .quoted
            return false
        case .name, .afterName:
            if byte == UInt8(ascii: "=") {
                state = .beforeValue
                return false
            }
            return try end(byte, spaceLeadsTo: .afterName)
        case .value, .afterQuoted, .beforeSemicolon:
            return try end(byte, spaceLeadsTo: .beforeSemicolon)
        case .beforeName, .beforeValue:
            break
        }
        throw .invalidChunkExtension
    }

    private mutating func end(_ byte: UInt8, spaceLeadsTo next: State) throws(BodyError) -> Bool {
        switch byte {
        case UInt8(ascii: ";"): state = .beforeName
        case ASCII.space, ASCII.tab: state = next
        case ASCII.carriageReturn where state != .beforeSemicolon && state != .afterName: return true
        default: throw .invalidChunkExtension
        }
        return false
    }

    /// What may stand between quotes, and after a backslash there.
    private static func isText(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == ASCII.tab }
}
