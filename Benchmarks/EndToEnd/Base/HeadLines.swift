/// The field lines of a head, without its first line.
struct HeadLines: Sequence, IteratorProtocol {
    private let head: [UInt8]
    private var offset: Int

    init(_ head: [UInt8]) {
        self.head = head
        offset = head.firstIndex(of: HTTP1Byte.lineFeed).map { $0 + 1 } ?? head.count
    }

    mutating func next() -> HeadLine? {
        guard offset < head.count, let end = head[offset...].firstIndex(of: HTTP1Byte.lineFeed) else { return nil }
        defer { offset = end + 1 }
        return HeadLine(bytes: head[offset..<end])
    }
}

/// A field line, with its line end.
struct HeadLine {
    let bytes: ArraySlice<UInt8>

    /// The field's value, if this is the field. The name is given in lower case.
    func value(of name: StaticString) -> String? {
        let nameByteCount = name.utf8CodeUnitCount
        guard bytes.count > nameByteCount, bytes[bytes.startIndex + nameByteCount] == UInt8(ascii: ":") else {
            return nil
        }
        for index in 0..<nameByteCount {
            let expected = unsafe name.utf8Start[index]
            guard bytes[bytes.startIndex + index] | 0x20 == expected | 0x20 else { return nil }
        }
        let value = bytes.dropFirst(nameByteCount + 1)
        guard let first = value.firstIndex(where: { !HTTP1Byte.isBlank($0) }),
            let last = value.lastIndex(where: { !HTTP1Byte.isBlank($0) })
        else { return "" }
        return String(decoding: value[first...last], as: UTF8.self)
    }
}

/// The bytes that the framing looks for.
enum HTTP1Byte {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == carriageReturn
    }

    static func hexadecimalValue(of byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
