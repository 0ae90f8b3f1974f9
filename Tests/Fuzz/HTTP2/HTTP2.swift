import FuzzSupport
import SluiceCore
import SluiceHTTP

/// Bytes of a peer, with the preface and without, to a server and to a client that waits for answers.
func check(_ input: Input) {
    var input = input
    let cuts = input.cuts()
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    run(.server, input.bytes.starts(with: preface.prefix(8)) ? [] : preface, input.bytes, cuts)
    run(.client, [], input.bytes, cuts)
}

private func run(_ role: HTTP2Session.Role, _ before: [UInt8], _ bytes: [UInt8], _ cuts: [Int]) {
    guard let session = try? HTTP2Session(role: role) else { fatalError("no session") }
    let peer = Peer(session)
    if role == .client {
        for _ in 0..<3 {
            guard let head = try? requestHead() else { fatalError("no head") }
            _ = try? session.submitRequest(head, scheme: "https", body: .none)
        }
    }
    var now = Instant(nanoseconds: 1_000_000_000)
    peer.take(before, at: now)
    var start = 0
    for end in cuts {
        now.nanoseconds += 1_000_000
        peer.take(Array(bytes[start..<end]), at: now)
        start = end
    }
    expect(session.openStreamCount <= 100, "more streams than we take")
    if session.failure != nil { expect(session.isFinished, "failed, and not finished") }
    session.connectionLost(for: peer)
    expect(session.openStreamCount == 0, "streams survive their connection")
    expect(peer.open.isEmpty, "streams that nobody was told the end of: \(peer.open)")
}

private func requestHead() throws -> RequestHead {
    var parser = HeadParser()
    let text = "GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n"
    guard let head = try parser.request(in: text.utf8Span.span)?.head else { fatalError("no head") }
    return head
}

/// Answers each request, gives windows back, and keeps count of what it was told.
private final class Peer: HTTP2SessionDelegate {
    private unowned let session: HTTP2Session
    private let queue = ByteQueue()
    private(set) var open: Set<Int32> = []

    init(_ session: HTTP2Session) { self.session = session }

    func take(_ bytes: [UInt8], at now: Instant) {
        // A connection that is over is not read from.
        if session.isFinished && session.failure != nil { return }
        try? session.receive(bytes.span, at: now, for: self)
        session.flush(into: queue, upTo: 65_536, for: self)
        queue.removeAll()
    }

    func received(request head: consuming RequestHead, on stream: StreamID, isEnd: Bool) {
        open.insert(stream.number)
        expect(!head.target.isEmpty, "a request without a target")
        for byte in head.target { expect(byte > 0x20 && byte != 0x7F, "a control in a target") }
        for index in 0..<head.fields.count { expect(isClean(head.fields.value(at: index)), "a control in a value") }
        if isEnd { answer(stream) }
    }

    func received(response head: consuming ResponseHead, on stream: StreamID, isEnd: Bool) {
        open.insert(stream.number)
        for index in 0..<head.fields.count { expect(isClean(head.fields.value(at: index)), "a control in a value") }
    }

    func received(body bytes: Span<UInt8>, on stream: StreamID) {
        expect(open.contains(stream.number), "a body on a stream that is not open")
        session.consumed(bytes.count, on: stream)
    }

    func ended(_ stream: StreamID, trailers: consuming HeaderFields?) { if session.role == .server { answer(stream) } }

    func refused(_ stream: StreamID, _ refusal: HTTP2Refusal) {
        open.insert(stream.number)
        if session.role == .server { session.respond(stream, ResponseHead(refusal.status), body: .none) }
    }

    func closed(_ stream: StreamID, _ code: HTTP2ErrorCode) { open.remove(stream.number) }

    private func answer(_ stream: StreamID) {
        session.respond(stream, ResponseHead(200), body: .unknown)
        session.send("an answer of some length".utf8Span.span, on: stream)
        session.finish(stream)
    }

    private func isClean(_ value: Span<UInt8>) -> Bool {
        for index in value.indices where value[index] == 10 || value[index] == 13 || value[index] == 0 { return false }
        return true
    }
}
