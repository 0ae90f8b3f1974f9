internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// One request as it arrived.
///
/// `@unchecked Sendable`: the number, the attempt and the outcome are written and read under the ledger's lock; the
/// rest, the body's buffer among it, does not change.
final class LedgerEntry: @unchecked Sendable {
    var number = 0
    var attempt = 0
    var outcome: Ledger.Outcome?
    private let head: RequestHead
    private let model: String
    private let isTLS: Bool
    private let bodyByteCount: Int
    private let body: ByteBuffer?
    private let receivedAt = WallClock.milliseconds

    /// Longer bodies are counted and not kept, in bytes.
    static let bodyByteCountMax = 65_536

    init(_ head: RequestHead, _ body: ByteBuffer, model: String, isTLS: Bool) {
        self.head = head
        self.model = model
        self.isTLS = isTLS
        bodyByteCount = body.count
        self.body = body.count < Self.bodyByteCountMax ? body : nil
    }

    /// - Parameter outcome: read under the lock; `nil` while the request is under way.
    func write(_ outcome: Ledger.Outcome?, _ json: inout JSONWriter) {
        let head = head
        json.object { json in
            json.member("number", number)
            json.member("attempt", attempt)
            json.member("received_at_ms", receivedAt)
            json.member("model", model)
            json.member("method", "\(head.method.name)")
            json.member("path", head.target.span)
            json.member(
                "version", head.version == .http2 ? "HTTP/2" : head.version == .http11 ? "HTTP/1.1" : "HTTP/1.0")
            json.member("tls", isTLS)
            json.key("headers")
            writeFields(&json)
            json.member("body_bytes", bodyByteCount)
            json.key("body")
            if let body { json.string(body.span) } else { json.null() }
            write(outcome: outcome, &json)
        }
    }

    /// By name; what comes more than once is joined by commas. HTTP/2's `:authority` is shown as `host`.
    private func writeFields(_ json: inout JSONWriter) {
        let head = head
        var values: [(name: String, value: String)] = []
        if !head.fields.contains(.host) { values.append(("host", String(decoding: head.authority, as: UTF8.self))) }
        for index in 0..<head.fields.count {
            let name = String(decoding: head.fields.name(at: index))
            let value = String(decoding: head.fields.value(at: index))
            if let known = values.firstIndex(where: { $0.name == name }) {
                values[known].value += ", " + value
            } else {
                values.append((name, value))
            }
        }
        json.object { json in
            for (name, value) in values {
                json.key(name.utf8Span.span)
                json.string(value)
            }
        }
    }

    private func write(outcome: Ledger.Outcome?, _ json: inout JSONWriter) {
        json.key("outcome")
        switch outcome {
        case nil: json.string("open" as StaticString)
        case .answered(let status):
            json.string("answered" as StaticString)
            json.member("status", Int(status.code))
        case .failed(let fault, let status):
            json.string("failed" as StaticString)
            json.key("fault")
            json.string(fault)
            if let status { json.member("status", Int(status.code)) }
        case .cancelled(let after):
            json.string("cancelled" as StaticString)
            json.key("after_ms")
            json.double(after.milliseconds)
        }
    }
}
