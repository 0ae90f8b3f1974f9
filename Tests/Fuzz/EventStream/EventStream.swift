import FuzzSupport
import SluiceCore
import SluiceHTTP

/// Amazon's framing, however it is cut: as it came, and with its checksums put right.
func check(_ input: Input) {
    var input = input
    let cuts = input.cuts()
    for bytes in [input.bytes, mended(input.bytes)] {
        let whole = read(bytes, [bytes.count])
        let pieces = read(bytes, cuts)
        expect(whole == pieces, "\(whole) became \(pieces)")
    }
}

/// Frames whose checksums hold, wherever their lengths say that they end.
private func mended(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var start = 0
    while bytes.count - start >= 16 {
        let total = (0..<4).reduce(0) { $0 << 8 | Int(bytes[start + $1]) }
        put(CRC32.checksum(bytes.span.extracting(start..<start + 8)), at: start + 8, &bytes)
        if total < 16 || total > bytes.count - start { break }
        put(CRC32.checksum(bytes.span.extracting(start..<start + total - 4)), at: start + total - 4, &bytes)
        start += total
    }
    return bytes
}

private func put(_ value: UInt32, at place: Int, _ bytes: inout [UInt8]) {
    for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)) }
}

private func read(_ bytes: [UInt8], _ cuts: [Int]) -> [String] {
    var parser = EventStreamParser()
    var frames: [String] = []
    var start = 0
    do {
        for end in cuts {
            let piece = bytes.span.extracting(start..<end)
            var offset = 0
            while let frame = try parser.next(in: piece, at: &offset) {
                frames.append(
                    [
                        String(decoding: parser.messageType(of: frame, in: piece)),
                        String(decoding: parser.eventType(of: frame, in: piece)),
                        String(decoding: parser.exceptionType(of: frame, in: piece)),
                        String(decoding: parser.payload(of: frame, in: piece)),
                        "\(parser.header(":error-code", of: frame, in: piece)?.int ?? 0)",
                    ].joined(separator: "|"))
            }
            expect(offset == piece.count, "bytes were left")
            start = end
        }
    } catch {
        frames.append("\(error)")
    }
    return frames
}
