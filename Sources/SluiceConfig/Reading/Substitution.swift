internal import SluiceCore

/// `${NAME}` and `${NAME:-default}` in a string become the value of an environment variable; `$${` stands for `${`.
///
/// With a default, a variable that is empty counts as not set. What was put in is not looked at again.
enum Substitution {
    /// The longest string that may result, in bytes.
    static let byteCountMax = 1 << 20

    struct Failure: Error { var message: String }

    static func isNeeded(in text: String) -> Bool { text.utf8Span.span.firstIndex(of: UInt8(ascii: "$")) != nil }

    static func apply(to text: String, _ environment: ConfigEnvironment) throws(Failure) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            if rest.starts(with: "$${".utf8) {
                result += "${".utf8
                rest = rest.dropFirst(3)
            } else if rest.starts(with: "${".utf8) {
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { throw Self.malformed }
                result += try value(of: rest[(rest.startIndex + 2)..<end], environment).utf8
                rest = rest[(end + 1)...]
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
            if result.count > byteCountMax {
                throw Failure(message: "at most \(byteCountMax) bytes after substitution")
            }
        }
        return String(decoding: result.span)
    }

    private static func value(
        of reference: ArraySlice<UInt8>, _ environment: ConfigEnvironment
    ) throws(Failure) -> String {
        let nameEnd = reference.firstIndex { !($0.isASCIILetter || $0.isDecimalDigit || $0 == UInt8(ascii: "_")) }
        let nameBytes = reference[..<(nameEnd ?? reference.endIndex)]
        guard let first = nameBytes.first, !first.isDecimalDigit else { throw malformed }
        let name = String(decoding: nameBytes, as: UTF8.self)
        guard let nameEnd else {
            if let value = environment.variable(name) { return value }
            throw Failure(message: "the environment variable \(name) is not set; set it, or write ${\(name):-default}")
        }
        if !reference[nameEnd...].starts(with: ":-".utf8) { throw malformed }
        return environment.nonEmptyVariable(name) ?? String(decoding: reference[(nameEnd + 2)...], as: UTF8.self)
    }

    private static let malformed = Failure(
        message: "a \"${\" that is not ${NAME} or ${NAME:-default}; \"$${\" stands for \"${\" itself")
}
