import FuzzSupport
import SluiceCore
import SluiceHTTP

/// A response however it is cut; its head written again must not say anything else.
func check(_ input: Input) {
    var input = input
    let whole = Message.response(input.bytes, cuts: [input.bytes.count])
    let pieces = Message.response(input.bytes, cuts: input.cuts())
    expect(pieces == whole || pieces == .incomplete && whole == .refused, "\(whole) became \(pieces)")
    guard case .whole(let message) = whole else { return }
    var parser = HeadParser()
    guard let head = try? parser.response(in: input.bytes.span)?.head else { fatalError("read once, not twice") }
    let buffer = ByteBuffer()
    let framing: BodyFraming? = head.status.hasNoBody ? nil : .known(message.body.count)
    MessageWriter.response(head, framing: framing, to: .http11, keepsConnection: true, into: buffer)
    if !head.status.hasNoBody { buffer.append(message.body.span) }
    let written = (0..<buffer.count).map { buffer[$0] }
    guard case .whole(let again) = Message.response(written, cuts: [written.count], limits: Message.roomy) else {
        fatalError("written, not read")
    }
    expect(again.body == message.body && again.byteCount == written.count, "not the same when written again")
}
