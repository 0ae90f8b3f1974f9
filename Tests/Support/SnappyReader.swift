/// The reader of Snappy's blocks that the format's description asks for, written from that description alone.
package enum SnappyReader {
    package struct Malformed: Error {}

    package static func decompress(_ bytes: [UInt8]) throws -> [UInt8] {
        var at = 0
        func next(_ count: Int) throws -> ArraySlice<UInt8> {
            guard count >= 0, at + count <= bytes.count else { throw Malformed() }
            defer { at += count }
            return bytes[at..<at + count]
        }
        func number(_ count: Int) throws -> Int { try next(count).reversed().reduce(0) { $0 << 8 | Int($1) } }
        var length = 0
        var shift = 0
        while true {
            let byte = try number(1)
            length |= (byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        var output: [UInt8] = []
        func copy(_ offset: Int, _ count: Int) throws {
            guard offset > 0, offset <= output.count else { throw Malformed() }
            for _ in 0..<count { output.append(output[output.count - offset]) }
        }
        while at < bytes.count {
            let tag = try number(1)
            switch tag & 3 {
            case 0:
                let size = tag >> 2
                output += try next((size < 60 ? size : try number(size - 59)) + 1)
            case 1: try copy((tag >> 5) << 8 | number(1), (tag >> 2 & 7) + 4)
            case 2: try copy(number(2), (tag >> 2) + 1)
            default: try copy(number(4), (tag >> 2) + 1)
            }
        }
        if output.count != length { throw Malformed() }
        return output
    }
}
