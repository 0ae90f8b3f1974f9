import SluiceCore
import SluiceHTTP

/// A client's and a server's session, wired back to back.
final class SessionPair {
    let client: HTTP2Session
    let server: HTTP2Session
    let atClient = Recorder()
    let atServer = Recorder()
    /// How many bytes arrive at once; 0: all.
    var pieceByteCount = 0
    /// How many bytes a flush may queue.
    var flushByteCount = 65_536
    var now = Instant(nanoseconds: 1_000_000_000)

    init(client: HTTP2Limits = .upstream, server: HTTP2Limits = HTTP2Limits()) throws {
        self.client = try HTTP2Session(role: .client, limits: client)
        self.server = try HTTP2Session(role: .server, limits: server)
        atClient.session = self.client
        atServer.session = self.server
    }

    /// Lets both speak until neither has anything to say, or `turns` are over.
    @discardableResult
    func run(turns: Int = 10_000) throws -> Int {
        var turn = 0
        while turn < turns {
            turn += 1
            let there = try move(from: client, atClient, to: server, atServer)
            let back = try move(from: server, atServer, to: client, atClient)
            if there + back == 0 { break }
        }
        return turn
    }

    /// Takes what one has to say to the other; returns how many bytes that were.
    @discardableResult
    func move(
        from: HTTP2Session, _ fromDelegate: Recorder, to: HTTP2Session, _ toDelegate: Recorder
    ) throws -> Int {
        let queue = ByteQueue()
        from.flush(into: queue, upTo: flushByteCount, for: fromDelegate)
        let bytes = queue.takeAll()
        let piece = pieceByteCount == 0 ? max(bytes.count, 1) : pieceByteCount
        for start in stride(from: 0, to: bytes.count, by: piece) {
            let end = min(start + piece, bytes.count)
            try to.receive(bytes.span.extracting(start..<end), at: now, for: toDelegate)
        }
        return bytes.count
    }
}

extension RequestHead {
    static func chat(_ more: [(FieldName, String)] = []) -> RequestHead {
        var fields = HeaderFields()
        fields.append(.contentType, "application/json")
        fields.append(.authorization, "Bearer sk-0123456789abcdefghijklmnopqrstuvwxyz")
        fields.append(.userAgent, "OpenAI/Python 2.1.0")
        for (field, value) in more { fields.append(field, value) }
        return RequestHead(
            version: .http2, method: .post, target: Array("/v1/chat/completions".utf8),
            authority: Array("api.openai.com".utf8), fields: fields)
    }

    static func get(_ target: String) -> RequestHead {
        RequestHead(
            version: .http2, method: .get, target: Array(target.utf8), authority: Array("api.openai.com".utf8))
    }
}

extension ResponseHead {
    static func ok(_ more: [(FieldName, String)] = []) -> ResponseHead {
        var head = ResponseHead(200)
        head.fields.append(.contentType, "application/json")
        for (field, value) in more { head.fields.append(field, value) }
        return head
    }
}

/// A session and a peer that writes its frames by hand.
final class RawPeer {
    let session: HTTP2Session
    let recorder = Recorder()
    private(set) var frames: [Frame] = []
    private(set) var error: HTTP2Error?
    private var unread: [UInt8] = []
    var now = Instant(nanoseconds: 1_000_000_000)
    /// The number of the stream that a case opens next.
    var next: UInt32 = 1
    /// A peer that does not read: nothing is flushed.
    var reads = true

    /// - Parameter greets: whether the preface and SETTINGS have been exchanged.
    init(role: HTTP2Session.Role = .server, limits: HTTP2Limits = HTTP2Limits(), greets: Bool = true) throws {
        session = try HTTP2Session(role: role, limits: limits)
        recorder.session = session
        if role == .client {
            let queue = ByteQueue()
            session.flush(into: queue, upTo: 65_536, for: recorder)
            unread = Array(queue.takeAll().dropFirst(FrameWriter.preface.count))
        }
        if !greets { return }
        send {
            if role == .server { $0.raw(FrameWriter.preface) }
            $0.settings()
            $0.settings(flags: FrameWriter.acknowledge)
        }
        frames = []
    }

    func send(_ write: (inout FrameWriter) -> Void) {
        var writer = FrameWriter()
        write(&writer)
        send(bytes: writer.bytes)
    }

    func send(bytes: [UInt8]) {
        do throws(HTTP2Error) {
            try session.receive(bytes.span, at: now, for: recorder)
        } catch {
            self.error = error
        }
        if reads { read() }
    }

    func read() {
        let queue = ByteQueue()
        session.flush(into: queue, upTo: 1_000_000, for: recorder)
        unread += queue.takeAll()
        frames += Frame.read(&unread)
    }

    /// The code of the GOAWAY that ended the connection.
    var goAwayCode: UInt32? { frames.last { $0.type == 7 && $0.number(at: 4) != 0 }?.number(at: 4) }

    func resetCode(_ stream: UInt32) -> UInt32? { frames.first { $0.type == 3 && $0.stream == stream }?.number(at: 0) }

    func dataByteCount(_ stream: UInt32) -> Int {
        frames.reduce(0) { $0 + ($1.type == 0 && $1.stream == stream ? $1.payload.count : 0) }
    }
}
