internal import SluiceCore
internal import SluiceJSON

extension JSONValue {
    /// Whether it is a string of nothing but white space.
    var isBlankString: Bool {
        guard let text = escapedBytes else { return false }
        var index = 0
        while index < text.count {
            if text[index].isBlank {
                index += 1
            } else if text[index] == UInt8(ascii: "\\"), index + 1 < text.count,
                text[index + 1] == UInt8(ascii: "n") || text[index + 1] == UInt8(ascii: "t")
                    || text[index + 1] == UInt8(ascii: "r")
            {
                index += 2
            } else {
                return false
            }
        }
        return true
    }
}

extension UInt8 {
    /// White space as it stands in text.
    var isBlank: Bool { self == 0x20 || self &- 9 < 5 }
}
