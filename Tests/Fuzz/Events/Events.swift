import FuzzSupport
import SluiceCore
import SluiceHTTP

/// An event stream however it is cut, with a small limit and without one.
func check(_ input: Input) {
    var input = input
    let cuts = input.cuts()
    let whole = read(input.bytes, [input.bytes.count], bytesMax: 1 << 20)
    let pieces = read(input.bytes, cuts, bytesMax: 1 << 20)
    expect(whole.messages == pieces.messages, "\(whole.messages) became \(pieces.messages)")
    expect(whole.raw == pieces.raw, "other bytes were passed on")
    expect(whole.raw.count <= input.bytes.count, "bytes from nowhere")
    _ = read(input.bytes, cuts, bytesMax: 16)
}

private func read(_ bytes: [UInt8], _ cuts: [Int], bytesMax: Int) -> (messages: [[String]], raw: [UInt8]) {
    var parser = EventParser(eventBytesMax: bytesMax)
    var messages: [[String]] = []
    var raw: [UInt8] = []
    var start = 0
    do {
        for end in cuts {
            let piece = bytes.span.extracting(start..<end)
            var offset = 0
            while let event = try parser.next(in: piece, at: &offset) {
                raw.append(each: parser.raw(event, in: piece))
                if event.kind == .message {
                    messages.append([
                        String(decoding: parser.name(of: event, in: piece)),
                        String(decoding: parser.id(of: event, in: piece)),
                        String(decoding: parser.data(of: event, in: piece)), "\(event.retryMilliseconds ?? -1)",
                    ])
                }
            }
            expect(offset == piece.count, "bytes were left")
            expect(parser.carriedByteCount <= bytesMax, "an event that is too long is kept")
            start = end
        }
        _ = parser.unfinished()
    } catch {
        expect(bytes.count > bytesMax, "too long: \(bytes.count) bytes")
    }
    return (messages, raw)
}
