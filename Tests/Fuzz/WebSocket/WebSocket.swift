import FuzzSupport
import SluiceHTTP

/// What a server sends over a WebSocket, however it is cut, with a small limit and without one.
func check(_ input: Input) {
    var input = input
    let cuts = input.cuts()
    let whole = read(input.bytes, [input.bytes.count], bytesMax: 1 << 20)
    let pieces = read(input.bytes, cuts, bytesMax: 1 << 20)
    expect(whole == pieces, "\(whole) became \(pieces)")
    _ = read(input.bytes, cuts, bytesMax: 16)
}

private func read(_ bytes: [UInt8], _ cuts: [Int], bytesMax: Int) -> [String] {
    var parser = WebSocketFrameParser(messageBytesMax: bytesMax)
    var life = WebSocketLife()
    var events: [String] = []
    var start = 0
    do {
        for end in cuts {
            let piece = bytes.span.extracting(start..<end)
            var offset = 0
            while let event = try parser.next(in: piece, at: &offset) {
                let payload = parser.payload(of: event, in: piece)
                expect(payload.count <= max(bytesMax, 125), "a message that is too long")
                var copy: [UInt8] = []
                copy.append(each: payload)
                events.append("\(event.kind) \(copy) \(life.received(event.kind))")
            }
            expect(offset == piece.count, "bytes were left")
            start = end
        }
    } catch {
        events.append("\(error)")
    }
    return events
}
