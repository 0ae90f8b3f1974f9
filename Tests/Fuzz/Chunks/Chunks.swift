import FuzzSupport
import SluiceHTTP

/// A chunked body however it is cut, and what a plain reading of RFC 9112 §7.1 makes of the sizes.
func check(_ input: Input) {
    var input = input
    let whole = outcome(input.bytes, [input.bytes.count])
    let pieces = outcome(input.bytes, input.cuts())
    expect(whole == pieces, "\(whole) became \(pieces)")
    guard case .whole(let message) = whole else { return }
    expect(message.body.count <= input.bytes.count && message.byteCount <= input.bytes.count, "more than there is")
    expect(plainBody(input.bytes[..<message.byteCount]) == message.body, "another reader finds another body")
}

private func outcome(_ bytes: [UInt8], _ cuts: [Int]) -> Message {
    do {
        guard let found = try Message.body(bytes, from: 0, .chunked, cuts: cuts) else { return .incomplete }
        return .whole(
            .init(framing: .chunked, body: found.body, trailers: found.trailers, byteCount: found.end))
    } catch {
        return .refused
    }
}

/// Size up to what is no hex digit, on to the next CR LF, data, CR LF: what the laziest reader does.
private func plainBody(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    var rest = bytes
    var body: [UInt8] = []
    while true {
        let digits = rest.prefix { Character(Unicode.Scalar($0)).isHexDigit }
        guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
        guard let end = rest.firstIndex(of: 10) else { return nil }
        rest = rest[(end + 1)...]
        if size == 0 { return body }
        if rest.count < size + 2 { return nil }
        body += rest.prefix(size)
        rest = rest.dropFirst(size + 2)
    }
}
