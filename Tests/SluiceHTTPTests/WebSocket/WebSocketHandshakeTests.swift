import SluiceCore
import SluiceHTTP
import Testing

@Suite struct `WebSocket handshake` {
    /// RFC 6455 §1.3: "the sample nonce".
    let handshake = WebSocketHandshake(nonce: Array("the sample nonce".utf8))

    func response(_ status: Status = 101, _ changes: [String: String?] = [:]) -> ResponseHead {
        var lines = [
            "upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        ]
        for (name, value) in changes { lines[name] = value }
        var fields = HeaderFields()
        for (name, value) in lines { fields.append(name: name.utf8Span.span, value: value.utf8Span.span) }
        return ResponseHead(status, fields: fields)
    }

    @Test func `the request asks for the upgrade, and says each thing once`() throws {
        var fields = HeaderFields()
        fields.append(lowercaseName: "x-trace", "7")
        fields.append(lowercaseName: "sec-websocket-key", "theirs")
        fields.append(.connection, "close" as StaticString)
        let buffer = ByteBuffer()
        try handshake.writeRequest(
            target: "/v1.1/chat?a=b".utf8Span.span, host: "spark-api.xf-yun.com".utf8Span.span, fields: fields,
            into: buffer)
        #expect(
            buffer.text == """
                GET /v1.1/chat?a=b HTTP/1.1\r
                host: spark-api.xf-yun.com\r
                x-trace: 7\r
                upgrade: websocket\r
                connection: Upgrade\r
                sec-websocket-version: 13\r
                sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r
                \r

                """)
    }

    @Test func `the answer of RFC 6455 is taken, in any case`() throws {
        try handshake.check(response())
        try handshake.check(response(101, ["upgrade": "WebSocket", "connection": "keep-alive, upgrade"]))
    }

    @Test(
        arguments: [
            (["upgrade": nil], WebSocketHandshake.Refusal.upgradeMissing), (["upgrade": "h2c"], .upgradeMissing),
            (["connection": nil], .connectionMissing), (["sec-websocket-accept": nil], .wrongAccept),
            (["sec-websocket-accept": "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="], .wrongAccept),
            (["sec-websocket-extensions": "permessage-deflate"], .unwantedExtension),
            (["sec-websocket-protocol": "chat"], .unwantedProtocol),
        ] as [([String: String?], WebSocketHandshake.Refusal)])
    func `an answer that opens no WebSocket is refused`(
        changes: [String: String?], refusal: WebSocketHandshake.Refusal
    ) {
        #expect(throws: refusal) { try handshake.check(response(101, changes)) }
    }

    @Test func `an answer with another status is refused with it`() {
        #expect(throws: WebSocketHandshake.Refusal.notSwitched(401)) { try handshake.check(response(401)) }
    }

    @Test func `two accepts are refused, be they right`() {
        var head = response()
        head.fields.append(lowercaseName: "sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(throws: WebSocketHandshake.Refusal.wrongAccept) { try handshake.check(head) }
    }
}

@Suite struct `The life of a WebSocket` {
    @Test func `messages are delivered and pings answered while it is open`() {
        var life = WebSocketLife()
        let actions = [life.received(.text), life.received(.binary), life.received(.ping), life.received(.pong)]
        #expect(actions == [.deliver, .deliver, .sendPong, .nothing])
        #expect(life.maySend)
    }

    @Test func `a server's close is answered with its code, once`() {
        var life = WebSocketLife()
        let actions = [life.received(.close(.goingAway)), life.close(), life.received(.text)]
        #expect(actions == [.sendCloseAndEnd(.goingAway), .nothing, .nothing] && !life.maySend)
        let wasClean = life.connectionEnded()
        #expect(wasClean)
    }

    @Test func `our close waits for the server's, and drops what comes before it`() {
        var life = WebSocketLife()
        let actions = [life.close(), life.received(.text), life.received(.ping)]
        #expect(actions == [.sendClose(.normal), .nothing, .nothing] && life.state == .closing && !life.maySend)
        let last = life.received(.close(.normal))
        #expect(last == .endConnection && life.state == .closed)
    }

    @Test func `bytes that are no frames close it with the reason`() {
        var life = WebSocketLife()
        let actions = [life.failed(.notUTF8), life.failed(.notUTF8)]
        #expect(actions == [.sendCloseAndEnd(.notUTF8), .nothing])
        var closing = WebSocketLife()
        let closed = [closing.close(), closing.failed(.maskedFrame)]
        #expect(closed == [.sendClose(.normal), .endConnection])
    }

    @Test func `a connection that ends without a close was cut`() {
        var life = WebSocketLife()
        let wasClean = life.connectionEnded()
        #expect(!wasClean && life.state == .closed)
    }
}
