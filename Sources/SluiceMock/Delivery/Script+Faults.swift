internal import SluiceCore
internal import SluiceJSON

/// What goes wrong with a body while it is sent.
extension Script {
    /// How much longer a body is said to be than it is, in bytes.
    private static let missingByteCount = 64
    /// Of a body that drips, in one write.
    private static let dripByteCount = 16

    /// A whole body as pieces, with a length that its head says.
    init(whole body: ByteBuffer, pieces wanted: Int = 1) {
        self.init(capacity: body.count)
        beginContent()
        let size = max((body.count + max(wanted, 1) - 1) / max(wanted, 1), 1)
        var at = 0
        while at < body.count {
            let part = at..<min(at + size, body.count)
            piece { $0.append(body.span.extracting(part)) }
            at += size
        }
        endContent()
        announcedByteCount = body.count
    }

    /// The script with a behaviour's faults in it.
    func spoiled(by behaviour: Behaviour, _ dialect: Reply.Dialect, _ form: StreamForm? = nil) -> Script {
        var script = self
        if behaviour.defects.contains(.noDone) { script.removeDone() }
        if behaviour.defects.contains(.noFinish) { script.removeFinish() }
        if behaviour.defects.contains(.malformed) { script.malform(dialect, form) }
        switch behaviour.fault {
        case .cut(let share): script.stop(atShare: share, .cut)
        case .cutClean(let share):
            script.stop(atShare: share, .proper)
            script.announcedByteCount = nil
        case .stall(let share): script.stop(atShare: share, .stalled)
        case .errorEvent(let share) where announcedByteCount == nil: script.fail(atShare: share, dialect, form)
        case .badLength:
            script.announcedByteCount = script.byteCount + Self.missingByteCount
            script.end = .cut
        default: break
        }
        if behaviour.comments != nil { script.keepAlive(only: behaviour.isCommentsOnly, dialect, form) }
        if behaviour.drip != nil { script.divide(by: Self.dripByteCount) }
        return script
    }

    /// Keep-alives while it waits; a JSON body has blank lines before it.
    private mutating func keepAlive(only: Bool, _ dialect: Reply.Dialect, _ form: StreamForm?) {
        let isJSON = form == nil && dialect == .plain
        keepAlive = form?.keepAlive ?? Array((isJSON ? "\n" : ": keep-alive\n\n").utf8)
        if only { truncate(to: 0) }
        announcedByteCount = nil
        if only || end == .stalled { end = .keptAlive }
    }

    private var byteCount: Int { pieces.reduce(0) { $0 + Int($1.end - $1.start) } }

    /// A single piece is divided; several end after a whole one.
    private mutating func stop(atShare share: Double, _ end: End) {
        if content.count == 1, announcedByteCount != nil {
            shorten(content.lowerBound, to: share)
            truncate(to: content.upperBound)
        } else {
            truncate(to: pieceCount(untilShare: share))
        }
        self.end = end
    }

    private mutating func removeDone() { if !done.isEmpty { truncate(to: done.lowerBound) } }

    private mutating func removeFinish() { if !finish.isEmpty { remove(finish) } }

    /// Puts half an event in the middle of the content; of a body that is no stream, leaves out the second half.
    private mutating func malform(_ dialect: Reply.Dialect, _ form: StreamForm?) {
        if let form {
            let middle = pieceCount(untilShare: 0.5)
            bytes(form.malformed)
            return moveLast(to: middle)
        }
        if dialect == .plain {
            shorten(content.lowerBound, to: 0.5)
            truncate(to: min(content.lowerBound + 1, count))
            announcedByteCount = announcedByteCount.map { _ in byteCount }
            return
        }
        let middle = pieceCount(untilShare: 0.5)
        event { $0.append(#"{"id":"chatcmpl-malformed","choices":[{"index":0,"delta":{"content":"#) }
        moveLast(to: middle)
    }

    /// Ends with an error that is told in the stream; where none can be told, the connection is closed.
    private mutating func fail(atShare share: Double?, _ dialect: Reply.Dialect, _ form: StreamForm?) {
        truncate(to: share.map { pieceCount(untilShare: $0) } ?? 0)
        if let form {
            if form.error.isEmpty { end = .cut } else { bytes(form.error) }
            return
        }
        switch dialect {
        case .plain: end = .cut
        case .chat: event { APIError.serverError.write(to: $0) }
        case .named:
            let number = count
            event("error") { Self.writeError(number: number, to: $0) }
        }
    }

    /// The shape that the Responses API's schema gives: the members of the error stand at the top.
    private static func writeError(number: Int, to buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.member("type", "error")
            json.member("sequence_number", number)
            json.member("code", "server_error")
            json.member("message", APIError.serverError.message)
            json.nullMember("param")
        }
    }
}
