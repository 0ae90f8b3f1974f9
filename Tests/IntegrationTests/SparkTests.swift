import Foundation
import Testing

@Suite struct `Spark over a WebSocket` {
    private static func frame(_ status: Int, _ text: String, _ more: String = "") -> String {
        #"{"header":{"code":0,"message":"Success","sid":"cht1","status":\#(status)},"payload":{"choices":{"status":\#(status),"seq":0,"text":[{"content":"\#(text)","role":"assistant","index":0\#(more)}]}\#(status == 2 ? usage : "")}}"#
    }

    private static let usage =
        #","usage":{"text":{"question_tokens":4,"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}"#
    private static let quota =
        #"{"header":{"code":11200,"message":"AppIdNoAuthError:(tokens.total)","sid":"cht1","status":2}}"#

    private let chat =
        #"{"model":"4.0Ultra","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Count to two."}],"temperature":0.5}"#
    private var streamedChat: String { chat.replacingOccurrences(of: #""temperature":0.5"#, with: #""stream":true"#) }

    private func configuration(_ upstream: ScriptedUpstream, _ members: String = "") -> Configuration {
        let settings = #"{app_id: "a", api_key: "\#(Secrets.provider)", api_secret: "\#(Secrets.otherProvider)"}"#
        return Configuration(
            upstream, #"dialect: "spark-ws", auth: "recipe:spark-url-hmac", auth_settings: \#(settings), \#(members)"#)
    }

    private func content(_ events: [String]) -> String {
        events.compactMap { JSON($0.dropFirst(6))["choices"][0]["delta"]["content"].string }.joined()
    }

    @Test func `a whole answer is put together from its frames`() throws {
        let asked = Recorder<JSON>()
        let upstream = try ScriptedUpstream { connection, request in
            let peer = try WebSocketPeer(connection, request)
            asked.record(try peer.request())
            try peer.send(Self.frame(0, "One, "))
            try peer.send(Self.frame(2, "two."))
            #expect(try peer.receive().opcode == 8, "it says that it goes")
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(chat)
            #expect(reply.status == 200, "\(reply.text)")
            #expect(
                reply.json["choices"][0]["message"]["content"].string == "One, two."
                    && reply.json["id"].string == "cht1")
            #expect(reply.json["usage"]["total_tokens"].int == 14)
            #expect(try upstream.requests.first("the handshake").target.hasPrefix("/v1/v4.0/chat?"))
            let frame = try asked.first("the request")
            #expect(frame["parameter"]["chat"]["domain"].string == "4.0Ultra")
            #expect(frame["payload"]["message"]["text"][1]["content"].string == "Count to two.")
            // The next one is asked on a connection of its own.
            #expect(try sluice.chat(chat).status == 200)
            #expect(upstream.connections.all.count == 2)
        }
    }

    @Test func `a stream passes on what comes when it comes, and pings are answered`() throws {
        let go = Recorder<Bool>()
        let pong = Recorder<WebSocketPeer.Frame>()
        let upstream = try ScriptedUpstream { connection, request in
            let peer = try WebSocketPeer(connection, request)
            _ = try peer.request()
            try peer.send(Self.frame(0, "One, "))
            try go.first("the first piece")
            try peer.ping([1, 2, 3])
            pong.record(try peer.receive())
            let last = Array(Self.frame(2, "tw\\u00f6.").utf8)
            // In two frames, with a ping between them, a byte at a time.
            let bytes =
                WebSocketPeer.frame(Array(last[..<40]), 0x01) + WebSocketPeer.frame([9], 0x89)
                + WebSocketPeer.frame(Array(last[40...]), 0x80)
            for byte in bytes { try peer.sendRaw([byte]) }
            #expect(try peer.receive().opcode == 10)
            #expect(try peer.receive() == WebSocketPeer.Frame(opcode: 8, payload: [0x03, 0xE8]))
            try peer.awaitEnd()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let stream = try sluice.stream(streamedChat, ["x-request-id: s-1"])
            var events: [String] = []
            while content(events) != "One, " { events.append(try #require(try stream.next())) }
            go.record(true)
            events += try stream.rest()
            #expect(content(events) == "One, twö." && events.last == "data: [DONE]", "\(events)")
            #expect(try pong.first("the pong") == WebSocketPeer.Frame(opcode: 10, payload: [1, 2, 3]))
            #expect(try sluice.exchangeLine("s-1")["event.outcome"].string == "complete")
        }
    }

    @Test func `frames that come with the handshake's answer are read`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            let peer = try WebSocketPeer(connection, request)
            try peer.send(Self.frame(2, "At once."))
            try peer.awaitEnd()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(chat)
            #expect(reply.json["choices"][0]["message"]["content"].string == "At once.", "\(reply.text)")
        }
    }

    @Test func `a tool is called and its result told in a second turn`() throws {
        let asked = Recorder<JSON>()
        let upstream = try ScriptedUpstream { connection, request in
            let peer = try WebSocketPeer(connection, request)
            let frame = try peer.request()
            asked.record(frame)
            let isFirst = frame["payload"]["message"]["text"][1].value == nil
            if isFirst {
                try peer.send(
                    Self.frame(2, "", #","function_call":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}"#))
            } else {
                try peer.send(Self.frame(2, "Rain."))
            }
            try peer.awaitEnd()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let tools =
                #""tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object"}}}]"#
            let question = #"{"role":"user","content":"Weather in Oslo?"}"#
            let first = try sluice.chat(#"{"model":"generalv3.5","messages":[\#(question)],\#(tools)}"#)
            let choice = first.json["choices"][0]
            let call = choice["message"]["tool_calls"][0]
            #expect(choice["finish_reason"].string == "tool_calls" && call["function"]["name"].string == "get_weather")
            #expect(call["function"]["arguments"].string == #"{"city":"Oslo"}"#)
            let id = try #require(call["id"].string)
            let answer =
                #"{"role":"assistant","content":null,"tool_calls":[{"id":"\#(id)","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},{"role":"tool","tool_call_id":"\#(id)","content":"4 C, rain"}"#
            let second = try sluice.chat(#"{"model":"generalv3.5","messages":[\#(question),\#(answer)],\#(tools)}"#)
            #expect(second.json["choices"][0]["message"]["content"].string == "Rain.", "\(second.text)")
            #expect(second["x-sluice-adapted-fields"]?.contains("in words") == true)
            let texts = asked.all[1]["payload"]["message"]["text"]
            #expect(texts[1]["content"].string == #"Call of the function get_weather: {"city":"Oslo"}"#)
            #expect(
                texts[2]["role"].string == "user"
                    && texts[2]["content"].string == "Result of the function get_weather: 4 C, rain")
            #expect(asked.all[1]["payload"]["functions"]["text"][0]["name"].string == "get_weather")
        }
    }

    @Test(arguments: [false, true])
    func `an error in the first frame is a response with a status`(isStream: Bool) throws {
        let upstream = try ScriptedUpstream { connection, request in
            let peer = try WebSocketPeer(connection, request)
            _ = try peer.request()
            try peer.send(Self.quota)
            try peer.awaitEnd()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(isStream ? streamedChat : chat)
            #expect(reply.status == 429 && reply.json["error"]["type"].string == "insufficient_quota", "\(reply.text)")
        }
    }

    @Test func `an error after content ends the stream without DONE`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            let peer = try WebSocketPeer(connection, request)
            _ = try peer.request()
            try peer.send(Self.frame(0, "One"))
            try peer.send(#"{"header":{"code":10012,"message":"broken","sid":"cht1","status":2}}"#)
            try peer.awaitEnd()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let (events, _) = try sluice.stream(streamedChat).untilAnyEnd()
            #expect(content(events) == "One" && !events.contains("data: [DONE]"))
            #expect(JSON(events.last?.dropFirst(6) ?? "")["error"]["message"].string == "broken", "\(events)")
        }
    }

    @Test func `an upgrade that is refused is the error that it says`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(#"{"message":"HMAC signature does not match"}"#, status: "401 Unauthorized")
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            for body in [chat, streamedChat] {
                let reply = try sluice.chat(body)
                #expect(reply.status == 401 && reply.json["error"]["code"].string == "invalid_api_key", "\(reply.text)")
                #expect(reply.json["error"]["message"].string == "HMAC signature does not match")
            }
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: bm8=\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
    ])
    func `what is no WebSocket is not taken for one`(answer: String) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.wire.send(answer)
            connection.isOver = true
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            for body in [chat, streamedChat] {
                let reply = try sluice.chat(body)
                #expect(
                    reply.status == 502 && reply.json["error"]["code"].string == "upstream_malformed", "\(reply.text)")
            }
        }
    }

    enum Cut: String, CaseIterable, Sendable { case closed, closeFrame, reset, withinFrame, damaged, tooLong }

    @Test(arguments: Cut.allCases)
    func `an answer that is cut is not a whole one`(cut: Cut) throws {
        let upstream = try ScriptedUpstream { connection, request in
            let peer = try WebSocketPeer(connection, request)
            _ = try peer.request()
            try peer.send(Self.frame(0, "One"))
            switch cut {
            case .closed: break
            // And the connection stays open.
            case .closeFrame:
                try peer.close(1011)
                #expect(try peer.receive() == WebSocketPeer.Frame(opcode: 8, payload: [0x03, 0xF3]))
                try peer.awaitEnd()
            case .reset: connection.wire.reset()
            case .withinFrame: try peer.sendRaw([0x81, 0x05, 0x61])
            case .damaged:
                try peer.sendRaw([0x81, 0x85, 1, 2, 3, 4])
                #expect(try peer.receive() == WebSocketPeer.Frame(opcode: 8, payload: [0x03, 0xEA]))
                try peer.awaitEnd()
            case .tooLong:
                try peer.sendRaw([0x81, 127, 0, 0, 0, 0, 0x7F, 0, 0, 0])
                try peer.awaitEnd()
            }
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let whole = try sluice.chat(chat)
            #expect(whole.status == 502, "\(whole.text)")
            let (events, isClean) = try sluice.stream(streamedChat).untilAnyEnd()
            #expect(!isClean && !events.contains("data: [DONE]"))
            if cut != .reset { #expect(content(events) == "One") }
            #expect(JSON(events.last?.dropFirst(6) ?? "")["error"]["code"].string != nil || cut == .reset, "\(events)")
        }
    }

    @Test(arguments: [false, true])
    func `when the application leaves, the provider is told and left at once`(isStream: Bool) throws {
        let left = Recorder<ContinuousClock.Instant>()
        let farewell = Recorder<WebSocketPeer.Frame>()
        let asked = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, request in
            let peer = try WebSocketPeer(connection, request)
            _ = try peer.request()
            try peer.send(Self.frame(0, "One"))
            asked.record(true)
            farewell.record(try peer.receive())
            try peer.awaitEnd()
            left.record(.now)
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            // A busy machine is not slow five times in a row.
            var fastest = Duration.seconds(60)
            for number in 1...5 where fastest >= .milliseconds(100) {
                let wire = try sluice.connect()
                try wire.ask("POST", "/v1/chat/completions", [], isStream ? streamedChat : chat)
                if isStream { _ = try ResponseStream(wire).next() }
                try asked.count(number, "requests")
                usleep(20_000)
                let start = ContinuousClock.now
                wire.close()
                fastest = min(fastest, try left.count(number, "ends")[number - 1] - start)
            }
            #expect(fastest < .milliseconds(100), "\(fastest)")
            #expect(try farewell.first("the farewell") == WebSocketPeer.Frame(opcode: 8, payload: [0x03, 0xE8]))
        }
    }

    @Test func `a request that is longer than a frame's short lengths arrives whole`() throws {
        let asked = Recorder<JSON>()
        let upstream = try ScriptedUpstream { connection, request in
            let peer = try WebSocketPeer(connection, request)
            asked.record(try peer.request())
            try peer.send(Self.frame(2, String(repeating: "x", count: 70_000)))
            try peer.awaitEnd()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let long = String(repeating: "ab ", count: 100_000)
            let reply = try sluice.chat(#"{"model":"max","messages":[{"role":"user","content":"\#(long)"}]}"#)
            #expect(reply.json["choices"][0]["message"]["content"].string?.count == 70_000)
            #expect(try asked.first("the request")["payload"]["message"]["text"][0]["content"].string == long)
        }
    }
}
