import Foundation
import Testing

@Suite struct `Messages of every shape` {
    /// A chat request of about this length.
    private func prompt(_ byteCount: Int) -> String {
        let text = String(repeating: "Lorem ipsum dolor sit amet — \\n ", count: byteCount / 32)
        return #"{"model":"m","messages":[{"role":"user","content":"\#(text)"}]}"#
    }

    @Test(arguments: [150_000, 5_000_000])
    func `a large prompt arrives whole`(byteCount: Int) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let body = prompt(byteCount)
            let wire = try sluice.connect()
            for _ in 1...2 { #expect(try wire.chat(body).status == 200) }
            for request in try upstream.requests.count(2, "requests") { #expect(request.body == Array(body.utf8)) }
        }
    }

    @Test(arguments: [10_000, 900_000, 5_000_000])
    func `a large reply arrives whole`(byteCount: Int) throws {
        let reply = #"{"data":"\#(String(repeating: "0123456789", count: byteCount / 10))"}"#
        let upstream = try ScriptedUpstream { connection, request in
            guard request.target.hasSuffix("chunked") else { return try connection.reply(reply) }
            try connection.wire.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
            try connection.chunk(reply)
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for path in ["/v1/embeddings", "/v1/files/f", "/v1/files/chunked"] {
                let received = try wire.exchange(path.hasSuffix("s") ? "POST" : "GET", path, [], path.hasSuffix("s") ? Sample.chat : nil)
                #expect(received.status == 200 && received.text == reply, "\(path)")
            }
        }
    }

    @Test func `a body that is announced too long is refused before it is sent`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.limits = "body_bytes_max: 4096, upload_bytes_max: 8192"
        try withSluice(configuration, upstream) { sluice in
            for (path, length) in [("/v1/chat/completions", 4097), ("/v1/files", 8193), ("/api/v1/chat/completions", 99_999_999)] {
                let wire = try sluice.connect()
                try wire.send("POST \(path) HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: \(length)\r\n\r\n")
                let reply = try wire.readResponse()
                #expect(reply.status == 413 && reply.interim.isEmpty, "\(path)")
                #expect(reply.text.contains("request_too_large"))
                #expect(reply["connection"] == "close", "its body would be the next request")
                try wire.awaitEnd()
            }
            let fits = #"{"model":"m","messages":[],"pad":""#
            let body = fits + String(repeating: "x", count: 4096 - fits.utf8.count - 2) + #""}"#
            #expect(try sluice.chat(body).status == 200, "the limit itself is allowed")
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `a chunked body that grows too long is refused while it comes`() throws {
        let upstream = try ScriptedUpstream(readsBodies: false) { connection, _ in _ = try connection.awaitEnd() }
        var configuration = Configuration(upstream)
        configuration.limits = "body_bytes_max: 4096, upload_bytes_max: 8192"
        try withSluice(configuration, upstream) { sluice in
            for path in ["/v1/chat/completions", "/v1/files"] {
                let wire = try sluice.connect()
                try wire.send("POST \(path) HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
                let chunk = "800\r\n" + String(repeating: "y", count: 2048) + "\r\n"
                for _ in 1...2 { try wire.send(chunk) }
                if path == "/v1/files" { try upstream.requests.first("the upload's head") }
                for _ in 1...3 { try wire.send(chunk) }
                let reply = try wire.readResponse()
                #expect(reply.status == 413, "\(path)")
            }
            // What had been passed on of the upload is ended, not completed.
            try upstream.ends.count(1, "the upload's end")
        }
    }

    @Test func `a chunked request body is put together`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.send("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
            for byte in Sample.chat { try wire.send("1;x=\"y\"\r\n\(byte)\r\n") }
            try wire.send("0\r\nx-checksum: 1\r\n\r\n")
            #expect(try wire.readResponse().status == 200)
            let request = try upstream.requests.first("the request")
            #expect(request.text == Sample.chat && request["content-length"] == "\(Sample.chat.utf8.count)")
            #expect(request["x-checksum"] == nil && request.values("transfer-encoding").isEmpty)
            #expect(try wire.chat().status == 200)
        }
    }

    @Test func `an upload is passed on while it comes`() throws {
        let pieces = Recorder<String>()
        let upstream = try ScriptedUpstream(readsBodies: false) { connection, request in
            while let chunk = try connection.wire.readChunk() { pieces.record(String(decoding: chunk, as: UTF8.self)) }
            _ = try connection.wire.readTrailers()
            try connection.reply(#"{"id":"file-1"}"#)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.send("POST /v1/files HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
            for piece in ["first", "second", "third"] {
                try wire.send("\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n")
                try pieces.first("piece \(piece)") { $0 == piece }
            }
            try wire.send("0\r\n\r\n")
            #expect(try wire.readResponse().text == #"{"id":"file-1"}"#)
        }
    }

    @Test func `a provider that answers before the upload is over ends it`() throws {
        let upstream = try ScriptedUpstream(readsBodies: false) { connection, _ in
            try connection.reply(#"{"error":{"message":"no quota","type":"insufficient_quota"}}"#, status: "429 Too Many Requests")
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.send("POST /v1/files HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nbeginning")
            let reply = try wire.readResponse()
            #expect(reply.status == 429 && reply.text.contains("no quota"))
            #expect(reply["connection"] == "close")
            // The connection to the provider is in the middle of a message: the next request gets another one.
            #expect(try sluice.exchange("GET", "/v1/files").status == 429)
            try upstream.connections.count(2, "connections")
        }
    }

    @Test func `whoever waits with the body is told to go on`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            for path in ["/v1/chat/completions", "/v1/files"] {
                let wire = try sluice.connect()
                let length = Sample.chat.utf8.count
                try wire.send("POST \(path) HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: \(length)\r\n\r\n")
                let interim = try #require(try wire.take(upTo: "\r\n\r\n"))
                #expect(String(decoding: interim, as: UTF8.self) == "HTTP/1.1 100 Continue")
                try wire.send(Sample.chat)
                let reply = try wire.readResponse()
                #expect(reply.status == 200 && reply.interim.isEmpty)
                let request = try upstream.requests.first("the request") { $0.target == path }
                #expect(request.values("expect").isEmpty && request.text == Sample.chat)
            }
        }
    }

    @Test func `pipelined requests are answered in their order`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            try connection.reply(#"{"echo":\#(request.json["n"].int ?? 0)}"#)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            var all = ""
            for n in 1...20 {
                let body = #"{"model":"m","messages":[],"n":\#(n)}"#
                all += "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
            }
            try wire.send(all)
            for n in 1...20 { #expect(try wire.readResponse().text == #"{"echo":\#(n)}"#) }
        }
    }

    @Test func `a request is the same however its bytes are cut`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let body = #"{"model":"m","messages":[]}"#
            let request = "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
            let wire = try sluice.connect()
            for byte in request.utf8 { try wire.send([byte]) }
            #expect(try wire.readResponse().status == 200)
            for cut in 1..<request.utf8.count {
                try wire.send(Array(request.utf8.prefix(cut)))
                try wire.send(Array(request.utf8.dropFirst(cut)))
                #expect(try wire.readResponse().status == 200, "cut at \(cut)")
            }
            for request in upstream.requests.all { #expect(request.text == body) }
        }
    }

    @Test func `HEAD is answered like GET without the body`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\n"
            try connection.wire.send(request.method == "HEAD" ? head : head + "hello")
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for path in ["/v1/models", "/health", "/v1/files/f/content"] {
                let head = try wire.exchange("HEAD", path)
                let get = try wire.exchange("GET", path)
                #expect(head.status == 200 && head.body.isEmpty && get.status == 200)
                #expect(head["content-length"] == "\(get.body.count)" && head["content-type"] == get["content-type"], "\(path)")
            }
        }
    }

    @Test func `HTTP/1.0 gets no chunks, and its connection stays only if it asks`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            guard request.text.contains(#""stream":true"#) else { return try connection.reply(Sample.completion) }
            try connection.startStream()
            for event in [Sample.delta("a"), Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            func head(_ body: String, _ fields: String) -> String {
                "POST /v1/chat/completions HTTP/1.0\r\n\(fields)content-length: \(body.utf8.count)\r\n\r\n\(body)"
            }
            let closing = try sluice.connect()
            try closing.send(head(Sample.chat, ""))
            let reply = try closing.readResponse()
            #expect(reply.text == Sample.completion && reply["connection"] == "close")
            try closing.awaitEnd()

            let staying = try sluice.connect()
            try staying.send(head(Sample.chat, "connection: keep-alive\r\n"))
            #expect(try staying.readResponse()["connection"] == "keep-alive")
            try staying.send(head(Sample.streamedChat, "connection: keep-alive\r\n"))
            let stream = try staying.readResponse()
            #expect(stream["transfer-encoding"] == nil && stream["connection"] == "close")
            #expect(stream.text.hasSuffix("data: [DONE]\n\n"))
        }
    }

    @Test func `a connection serves until it is asked to close`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...50 { #expect(try wire.chat()["connection"] == nil) }
            #expect(try wire.chat(Sample.chat, ["connection: close"])["connection"] == "close")
            try wire.awaitEnd()
            #expect(try upstream.connections.count(1, "connections").count == 1)
        }
    }

    @Test func `a reply without a body is one`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            let status = request.method == "DELETE" ? "204 No Content" : "304 Not Modified"
            try connection.wire.send("HTTP/1.1 \(status)\r\netag: \"e\"\r\n\r\n")
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for (method, status) in [("DELETE", 204), ("GET", 304), ("DELETE", 204)] {
                let reply = try wire.exchange(method, "/v1/files/f", ["if-none-match: \"e\""])
                #expect(reply.status == status && reply["transfer-encoding"] == nil && reply["etag"] == "\"e\"")
            }
        }
    }

    @Test func `a provider's informational responses are not taken for its answer`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.wire.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
            try connection.reply(Sample.completion)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...2 { #expect(try wire.chat().text == Sample.completion) }
        }
    }

    @Test func `it listens on a unix socket as well, and takes its file away`() throws {
        let path = NSTemporaryDirectory() + "sluice-\(UUID().uuidString.prefix(8)).sock"
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.listeners.append(#"{address: "unix:\#(path)"}"#)
        try withSluice(configuration, upstream) { sluice in
            let wire = try Wire(unixPath: path)
            for _ in 1...3 { #expect(try wire.chat().status == 200) }
            #expect(try sluice.chat().status == 200)
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
