import FuzzSupport
import SluiceStorage

/// What a server sends for replies, however it is cut.
func check(_ input: Input) {
    var input = input
    let cuts = input.cuts()
    let whole = read(input.bytes, [input.bytes.count])
    let pieces = read(input.bytes, cuts)
    expect(whole == pieces, "\(whole) became \(pieces)")
}

/// The replies until the bytes end or are none; that they are none shows as `null` and may be found out earlier or later.
private func read(_ bytes: [UInt8], _ cuts: [Int]) -> [RedisReply] {
    let reader = RedisReplyReader()
    var replies: [RedisReply] = []
    var start = 0
    do {
        for end in cuts {
            try reader.feed(bytes.span.extracting(start..<end))
            while let reply = try reader.next() {
                expect(depth(reply) <= 9, "a reply that is nested too deeply")
                replies.append(reply)
            }
            start = end
        }
    } catch {
        expect(!error.message.isEmpty, "an error that says nothing")
    }
    return replies
}

private func depth(_ reply: RedisReply) -> Int {
    guard case .array(let elements) = reply else { return 0 }
    return 1 + (elements.map(depth).max() ?? 0)
}
