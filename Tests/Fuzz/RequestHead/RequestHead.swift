import FuzzSupport
import SluiceCore
import SluiceHTTP

/// A request however it is cut; its target taken apart; written again, it must read the same.
func check(_ input: Input) {
    var input = input
    let whole = Message.request(input.bytes, cuts: [input.bytes.count])
    let pieces = Message.request(input.bytes, cuts: input.cuts())
    // A head that comes in pieces is refused at its end, if not sooner; it may not get there.
    expect(pieces == whole || pieces == .incomplete && whole == .refused, "\(whole) became \(pieces)")
    guard case .whole(let message) = whole else { return }
    var parser = HeadParser()
    guard let head = try? parser.request(in: input.bytes.span)?.head else { fatalError("read once, not twice") }
    for byte in head.target + head.authority {
        expect(byte > 0x20 && byte != 0x7F, "a control in \(message.firstLine)")
    }
    if let target = try? RequestTarget(head.target) {
        for index in 0..<target.segmentCount {
            expect(!target.segment(index, is: "..") && !target.segment(index, is: "."), "a dot segment")
        }
        _ = target.parameterText("model")
    }
    if head.authority.isEmpty { return }
    let (target, host) = (head.target, head.authority)
    let buffer = ByteBuffer()
    let written = try? MessageWriter.request(
        head.method, target: target.span, host: host.span, fields: head.fields, framing: .known(message.body.count),
        into: buffer)
    expect(written != nil, "accepted, and not written")
    buffer.append(message.body.span)
    let text = (0..<buffer.count).map { buffer[$0] }
    guard case .whole(let again) = Message.request(text, cuts: [text.count], limits: Message.roomy) else {
        fatalError("written, not read")
    }
    expect(again.body == message.body && again.byteCount == text.count, "not the same when written again")
}
