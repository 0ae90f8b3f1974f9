import Foundation

extension Wire {
    // MARK: Reading messages (RFC 9112)

    /// A whole request; `nil` if the peer closed the connection instead of sending one.
    func readRequest(withBody: Bool = true, by deadline: ContinuousClock.Instant = Patience.deadline) throws
        -> HTTPMessage?
    {
        guard let head = try take(upTo: "\r\n\r\n", by: deadline) else { return nil }
        var message = HTTPMessage(head: String(decoding: head, as: UTF8.self))
        if !withBody { return message }
        if message["expect"] != nil { try send("HTTP/1.1 100 Continue\r\n\r\n") }
        if message["transfer-encoding"] == "chunked" {
            try readChunks(into: &message, by: deadline)
        } else if let count = message["content-length"].flatMap({ Int($0) }) {
            message.body = try take(count, by: deadline)
        }
        return message
    }

    /// A whole response.
    func readResponse(to method: String = "POST", by deadline: ContinuousClock.Instant = Patience.deadline) throws
        -> HTTPMessage
    {
        var message = try readResponseHead(by: deadline)
        if method == "HEAD" || message.status == 204 || message.status == 304 { return message }
        if message["transfer-encoding"] == "chunked" {
            try readChunks(into: &message, by: deadline)
        } else if let count = message["content-length"].flatMap({ Int($0) }) {
            message.body = try take(count, by: deadline)
        } else {
            message.body = try takeRest(by: deadline)
        }
        return message
    }

    /// The head of the final response.
    func readResponseHead(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> HTTPMessage {
        var interim: [String] = []
        while true {
            guard let bytes = try take(upTo: "\r\n\r\n", by: deadline) else { throw Failure.ended }
            var message = HTTPMessage(head: String(decoding: bytes, as: UTF8.self))
            if message.status >= 200 || message.status == 101 {
                message.interim = interim
                return message
            }
            interim.append(message.head)
        }
    }

    private func readChunks(into message: inout HTTPMessage, by deadline: ContinuousClock.Instant) throws {
        while let chunk = try readChunk(by: deadline) { message.body += chunk }
        message.trailers = try readTrailers(by: deadline)
    }

    /// The next chunk; `nil` for the last one, whose trailers are still to be read.
    func readChunk(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> [UInt8]? {
        guard let line = try take(upTo: "\r\n", by: deadline) else { throw Failure.ended }
        guard let count = Int(String(decoding: line, as: UTF8.self), radix: 16) else { throw Failure.ended }
        if count == 0 { return nil }
        let chunk = try take(count, by: deadline)
        _ = try take(2, by: deadline)
        return chunk
    }

    func readTrailers(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> [HTTPMessage.Field] {
        var lines: [String] = []
        while let line = try take(upTo: "\r\n", by: deadline) {
            if line.isEmpty { return HTTPMessage.fields(lines) }
            lines.append(String(decoding: line, as: UTF8.self))
        }
        throw Failure.ended
    }

    // MARK: Asking

    /// Sends a request with the credentials of an application, as every request of the tests has unless it says its own.
    func ask(
        _ method: String = "POST", _ target: String, _ fields: [String] = [], _ body: String? = nil
    ) throws {
        try ask(method, target, fields, bytes: body.map { Array($0.utf8) })
    }

    func ask(_ method: String = "POST", _ target: String, _ fields: [String] = [], bytes: [UInt8]?) throws {
        var head = "\(method) \(target) HTTP/1.1\r\nhost: gateway.test\r\n"
        let credentials = ["authorization:", "x-api-key:", "api-key:"]
        if !fields.contains(where: { field in credentials.contains { field.lowercased().hasPrefix($0) } }) {
            head += "authorization: Bearer \(Secrets.application)\r\n"
        }
        head += "cookie: session=\(Secrets.cookie)\r\n"
        for field in fields { head += field + "\r\n" }
        if let bytes {
            if !fields.contains(where: { $0.lowercased().hasPrefix("content-type:") }) {
                head += "content-type: application/json\r\n"
            }
            head += "content-length: \(bytes.count)\r\n"
        }
        try send(Array((head + "\r\n").utf8) + (bytes ?? []))
    }

    /// Sends a request and reads its response.
    func exchange(
        _ method: String = "POST", _ target: String, _ fields: [String] = [], _ body: String? = nil
    ) throws -> HTTPMessage {
        try ask(method, target, fields, body)
        return try readResponse(to: method)
    }

    /// Asks for a chat completion, and reads the reply.
    func chat(_ body: String = Sample.chat, _ fields: [String] = []) throws -> HTTPMessage {
        try exchange("POST", "/v1/chat/completions", fields, body)
    }
}

/// What must never be seen where it does not belong. Each has the same word in it, so that one search finds all.
enum Secrets {
    static let mark = "hush"
    static let application = "sk-app-\(mark)-9c41"
    static let cookie = "crumb-\(mark)-02d7"
    static let provider = "sk-provider-\(mark)-77ab"
    static let otherProvider = "sk-other-\(mark)-5e10"
}
