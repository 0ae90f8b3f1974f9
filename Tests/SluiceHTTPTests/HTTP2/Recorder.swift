import SluiceCore
import SluiceHTTP

/// A delegate that writes down what it hears, and may answer.
final class Recorder: HTTP2SessionDelegate {
    /// One line an event: `request 1 POST /v1/chat`, `body 1 5`, `ended 1`, `closed 1 0`, …
    private(set) var log: [String] = []
    private(set) var bodies: [Int32: [UInt8]] = [:]
    private(set) var requests: [Int32: RequestHead] = [:]
    private(set) var responses: [Int32: ResponseHead] = [:]
    private(set) var trailers: [Int32: HeaderFields] = [:]
    private(set) var streams: [Int32: StreamID] = [:]
    private(set) var closings: [Int32: HTTP2ErrorCode] = [:]
    var session: HTTP2Session?
    /// Gives windows back as soon as bytes arrive.
    var consumes = true
    var onRequest: (StreamID, RequestHead) -> Void = { _, _ in }
    var onResponse: (StreamID) -> Void = { _ in }
    var onBody: (StreamID) -> Void = { _ in }
    var onEnd: (StreamID) -> Void = { _ in }
    var onClosed: (StreamID) -> Void = { _ in }
    var onCanSendMore: (StreamID) -> Void = { _ in }

    func body(_ number: Int32) -> String { String(decoding: bodies[number] ?? [], as: UTF8.self) }
    func forgetLog() { log = [] }

    func received(request head: consuming RequestHead, on stream: StreamID, isEnd: Bool) {
        let head = head
        let target = String(decoding: head.target, as: UTF8.self)
        log.append("request \(stream.number) \(head.method.name) \(target)\(isEnd ? " end" : "")")
        requests[stream.number] = head
        streams[stream.number] = stream
        onRequest(stream, head)
        if isEnd { onEnd(stream) }
    }

    func received(response head: consuming ResponseHead, on stream: StreamID, isEnd: Bool) {
        let head = head
        log.append("response \(stream.number) \(head.status.code)\(isEnd ? " end" : "")")
        responses[stream.number] = head
        streams[stream.number] = stream
        onResponse(stream)
        if isEnd { onEnd(stream) }
    }

    func received(informational head: consuming ResponseHead, on stream: StreamID) {
        log.append("informational \(stream.number) \(head.status.code)")
    }

    func received(body bytes: Span<UInt8>, on stream: StreamID) {
        log.append("body \(stream.number) \(bytes.count)")
        for index in bytes.indices { bodies[stream.number, default: []].append(bytes[index]) }
        if consumes { session?.consumed(bytes.count, on: stream) }
        onBody(stream)
    }

    func ended(_ stream: StreamID, trailers fields: consuming HeaderFields?) {
        log.append("ended \(stream.number)\(fields == nil ? "" : " with trailers")")
        trailers[stream.number] = fields
        onEnd(stream)
    }

    func refused(_ stream: StreamID, _ refusal: HTTP2Refusal) {
        log.append("refused \(stream.number) \(refusal)")
        streams[stream.number] = stream
        if session?.role == .server { session?.respond(stream, ResponseHead(refusal.status), body: .none) }
    }

    func canSendMore(on stream: StreamID) {
        log.append("canSendMore \(stream.number)")
        onCanSendMore(stream)
    }

    func closed(_ stream: StreamID, _ code: HTTP2ErrorCode) {
        log.append("closed \(stream.number) \(code.rawValue)")
        closings[stream.number] = code
        onClosed(stream)
    }

    func goAway(after lastStream: Int32, _ code: HTTP2ErrorCode) { log.append("goAway \(lastStream) \(code.rawValue)") }

    func acknowledged(ping: UInt64) { log.append("acknowledged \(ping)") }
}

extension ByteQueue {
    /// Takes everything out.
    func takeAll() -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<runCount { unsafe bytes += Array(run(index)) }
        removeAll()
        return bytes
    }
}
