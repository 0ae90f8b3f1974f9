import Foundation
import SluiceCore
internal import TestSupport
import Testing

@testable import SluiceMock

@Suite struct `The mock over sockets` {
    @Test func `a chat request is answered with the headers of the dialect`() throws {
        let mock = try TestMock()
        let reply = try mock.chat("gpt-mock", content: "Hello")
        #expect(reply.status == 200 && reply.end == .closed)
        #expect(try JSONThing(reply.body)["choices"]?[0]?["message"]?["content"]?.string == "Hello")
        #expect(reply.header("x-request-id")?.count == 36)
        #expect(reply.header("x-request-id").map { reply.body.contains($0.dropFirst(4)) } == true)
        #expect(reply.header("x-ratelimit-reset-requests") == "6ms")
        #expect(reply.header("openai-processing-ms") == "1")
        #expect(reply.header("content-type") == "application/json")
    }

    @Test func `the same run gives the same identifiers, and no two requests of it do`() throws {
        func identifiers() throws -> [String?] {
            let mock = try TestMock()
            return try (0..<3).map { _ in try mock.chat("gpt-mock").header("x-request-id") }
        }
        let first = try identifiers()
        #expect(try identifiers() == first)
        #expect(Set(first).count == 3)
    }

    @Test func `a stream comes event by event, each in a write of its own`() throws {
        let mock = try TestMock()
        let reply = try mock.chat("gpt-mock", stream: true)
        #expect(reply.header("content-type") == "text/event-stream; charset=utf-8")
        #expect(reply.hasProperEnd && reply.body.hasSuffix("data: [DONE]\n\n"))
        #expect(
            try JSONThing.payloads(reply.body).compactMap { $0["choices"]?[0]?["delta"]?["content"]?.string }.joined()
                == "a b c d")
    }

    @Test func `several requests share a connection`() throws {
        let mock = try TestMock()
        let client = try RawClient(port: mock.port)
        for model in ["a", "b"] {
            client.send("POST", "/v1/chat/completions", TestMock.chatBody(model, content: model))
            #expect(client.read(within: 2000)?.contains(#""content":"\#(model)""#) == true)
        }
    }

    // MARK: Faults

    @Test func `a cut stream is closed without its end`() throws {
        let reply = try TestMock().chat("gpt-mock+cut=0.5", stream: true)
        #expect(reply.end == .closed && reply.isChunked && !reply.hasProperEnd)
        #expect(reply.body.contains(#""content":" b""#) && !reply.body.contains(#""content":" c""#))
    }

    @Test func `a stream can end properly and too early`() throws {
        let reply = try TestMock().chat("gpt-mock+cut-clean=0.5", stream: true)
        #expect(reply.hasProperEnd && !reply.body.contains("DONE") && !reply.body.contains("stop"))
    }

    @Test func `a reset is a reset and a close is a close`() throws {
        let mock = try TestMock()
        let reset = try mock.chat("gpt-mock+reset")
        #expect(reset.end == .reset && reset.text.isEmpty)
        let closed = try mock.chat("gpt-mock+close")
        #expect(closed.end == .closed && closed.text.isEmpty)
    }

    @Test func `garbage is not HTTP`() throws {
        let reply = try TestMock().chat("gpt-mock+garbage")
        #expect(reply.text.hasPrefix("SSH-") && reply.end == .closed)
    }

    @Test func `a body is shorter than its length`() throws {
        let reply = try TestMock().chat("gpt-mock+bad-length")
        #expect(reply.end == .closed)
        #expect(reply.header("content-length").flatMap { Int($0) } == reply.payload.utf8.count + 64)
    }

    @Test(arguments: ["slow-head", "slow-body"])
    func `a head and a body can drip`(word: String) throws {
        let reply = try TestMock().chat("gpt-mock+\(word)")
        #expect(reply.seconds > 0.8 && reply.status == 200)
        #expect(try JSONThing(reply.body)["object"]?.string == "chat.completion")
    }

    @Test func `a stream after a dripping head is whole`() throws {
        let reply = try TestMock().chat("gpt-mock+slow-head", stream: true)
        #expect(reply.seconds > 0.8 && reply.hasProperEnd && reply.body.hasSuffix("data: [DONE]\n\n"))
    }

    @Test func `a head can be huge`() throws {
        let reply = try TestMock().chat("gpt-mock+huge-head")
        #expect(reply.head.utf8.count > 256 << 10)
        #expect(try JSONThing(reply.body)["object"]?.string == "chat.completion")
    }

    @Test func `an error in a body has status 200`() throws {
        let mock = try TestMock()
        for model in ["gpt-mock+error-in-200", "gpt-mock+error-event"] {
            let reply = try mock.chat(model)
            #expect(reply.status == 200)
            #expect(try JSONThing(reply.body)["error"]?["type"]?.string == "server_error")
        }
    }

    @Test func `errors say when to try again, in every spelling`() throws {
        let mock = try TestMock()
        let seconds = try mock.chat("m+status=429+retry-after=2+should-retry=false")
        #expect(
            seconds.status == 429 && seconds.header("retry-after") == "2" && seconds.header("x-should-retry") == "false"
        )
        #expect(
            seconds.header("x-ratelimit-remaining-requests") == "0"
                && seconds.header("x-ratelimit-reset-requests") == "2s")
        #expect(try mock.chat("m+status=529+retry-after-ms=1500").header("retry-after-ms") == "1500")
        let date = try #require(try mock.chat("m+status=503+retry-after-date=60").header("retry-after"))
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        let wait = try #require(format.date(from: date)).timeIntervalSinceNow
        #expect(wait > 55 && wait <= 60)
    }

    @Test func `a redirect leads to where it is counted`() throws {
        let mock = try TestMock()
        let reply = try mock.chat("m+redirect")
        #expect(reply.status == 307 && reply.header("location") == "/mock/redirected")
        #expect(try mock.get("/mock/counts")["redirects_followed"]?.int == 0)
        _ = try mock.post("/mock/redirected", "{}")
        #expect(try mock.get("/mock/counts")["redirects_followed"]?.int == 1)
    }

    @Test func `faults hit the requests that they are for`() throws {
        let mock = try TestMock()
        func statuses(_ model: String) throws -> [Int?] { try (0..<5).map { _ in try mock.chat(model).status } }
        #expect(try statuses("m+status=500+times=1") == [500, 200, 200, 200, 200])
        #expect(try statuses("m+status=500+every=2") == [500, 200, 500, 200, 500])
        #expect(try statuses("m+status=503+flap=2") == [503, 503, 200, 200, 503])
    }

    @Test func `the header is stronger than the model, and the model than the flags`() throws {
        let mock = try TestMock("tokens=1,status=500")
        #expect(try mock.chat("m").status == 500)
        #expect(try mock.chat("m+status=503").status == 503)
        #expect(try mock.chat("m+status=503", headers: ["x-mock: status=429, retry-after=1"]).status == 429)
        let text = try mock.chat("m", headers: ["x-mock: times=0, tokens=2"])
        #expect(try JSONThing(text.body)["choices"]?[0]?["message"]?["content"]?.string == "lorem ipsum")
    }

    @Test func `a word that nobody knows is a clear error`() throws {
        let reply = try TestMock().chat("gpt-mock+latancy=5")
        #expect(reply.status == 400 && reply.body.contains(#"knows no \"latancy\""#))
    }

    // MARK: Time

    @Test func `latency comes before the head, first-token-ms after it`() throws {
        let mock = try TestMock()
        #expect(try mock.chat("m+latency-ms=120").seconds >= 0.119)
        let client = try RawClient(port: mock.port)
        client.send("POST", "/v1/chat/completions", TestMock.chatBody("m+first-token-ms=150+event-ms=1", stream: true))
        let start = Date()
        let head = try #require(client.read(within: 2000))
        #expect(head.contains("assistant") && !head.contains(#""content":"a""#))
        let content = try #require(client.read(within: 2000))
        #expect(content.contains(#""content":"a""#) && Date().timeIntervalSince(start) >= 0.1)
    }

    @Test func `a rate is kept over the whole stream`() throws {
        let reply = try TestMock().chat("m+tokens=40+token-rate=200", stream: true)
        #expect(reply.seconds >= 0.19 && reply.seconds < 1.5)
        #expect(try JSONThing.payloads(reply.body).count == 42)
    }

    @Test func `a burst of many events is whole`() throws {
        let reply = try TestMock().chat("bench-burst-5000", stream: true)
        #expect(try JSONThing.payloads(reply.body).count == 5002)
        #expect(reply.hasProperEnd)
    }

    // MARK: What was seen

    @Test func `a stalled stream that is left is counted as cancelled, and after how long`() throws {
        let mock = try TestMock()
        let client = try RawClient(port: mock.port)
        client.send("POST", "/v1/chat/completions", TestMock.chatBody("m+stall=0.5", stream: true))
        var received = ""
        while !received.contains(#""content":" b""#), let part = client.read(within: 2000) { received += part }
        #expect(client.read(within: 50) == nil)
        #expect(try mock.counts("m+stall=0.5") { _ in true }?["open"]?.int == 1)
        client.close()
        let counts = try mock.counts("m+stall=0.5") { $0["cancelled"]?.int == 1 }
        #expect(counts?["cancelled"]?.int == 1 && counts?["open"]?.int == 0)
        let after = try #require(counts?["cancelled_after_ms"]?[0]?.double)
        #expect(after >= 49 && after < 2000)
        #expect(try mock.get("/mock/requests")["requests"]?[0]?["outcome"]?.string == "cancelled")
    }

    @Test func `silence is broken by nobody`() throws {
        let mock = try TestMock()
        let client = try RawClient(port: mock.port)
        client.send("POST", "/v1/chat/completions", TestMock.chatBody("m+silence"))
        #expect(client.read(within: 100) == nil)
        client.close()
        #expect(try mock.counts("m+silence") { $0["cancelled"]?.int == 1 }?["cancelled"]?.int == 1)
    }

    @Test func `requests are shown with their headers and their body`() throws {
        let mock = try TestMock()
        _ = try mock.chat("m", headers: ["authorization: Bearer sk-secret", "x-request-id: r1", "x-a: 1", "x-a: 2"])
        let entry = try #require(try mock.get("/mock/requests")["requests"]?[0])
        #expect(entry["headers"]?["authorization"]?.string == "Bearer sk-secret")
        #expect(entry["headers"]?["x-a"]?.string == "1, 2")
        #expect(entry["method"]?.string == "POST" && entry["path"]?.string == "/v1/chat/completions")
        #expect(
            entry["body"]?.string == TestMock.chatBody("m")
                && entry["body_bytes"]?.int == TestMock.chatBody("m").utf8.count)
        #expect(entry["outcome"]?.string == "answered" && entry["status"]?.int == 200 && entry["attempt"]?.int == 1)
    }

    @Test func `an attempt with a known request id is no new request`() throws {
        let mock = try TestMock()
        for id in ["r1", "r1", "r2"] { _ = try mock.chat("m+status=500", headers: ["x-request-id: \(id)"]) }
        let counts = try mock.get("/mock/counts")["models"]?["m+status=500"]
        #expect(counts?["attempts"]?.int == 3 && counts?["requests"]?.int == 2 && counts?["failed"]?.int == 3)
    }

    @Test func `counts are kept for each key too, by its end`() throws {
        let mock = try TestMock()
        for key in ["sk-first-00000001", "sk-first-00000001", "sk-other-00000002", "sk-limited"] {
            _ = try mock.chat("m", headers: ["authorization: Bearer \(key)"])
        }
        let keys = try mock.get("/mock/counts")["keys"]
        #expect(keys?["00000001"]?["answered"]?.int == 2 && keys?["00000002"]?["answered"]?.int == 1)
        #expect(keys?["-limited"]?["failed"]?.int == 1)
    }

    @Test func `a stream whose first token is late has keep-alives before it`() throws {
        let mock = try TestMock()
        let reply = try mock.chat("m+first-token-ms=120+comments-ms=20", stream: true)
        let first = try #require(reply.body.range(of: #""content":"a""#))
        #expect(reply.body[..<first.lowerBound].components(separatedBy: ": keep-alive\n\n").count >= 3)
        #expect(reply.hasProperEnd && reply.body.hasSuffix("data: [DONE]\n\n"))
    }

    @Test func `nothing but keep-alives comes until the other side leaves`() throws {
        let mock = try TestMock()
        let client = try RawClient(port: mock.port)
        client.send("POST", "/v1/chat/completions", TestMock.chatBody("m+comments-ms=5", stream: true))
        var received = ""
        while received.components(separatedBy: ": keep-alive").count < 5, let part = client.read(within: 2000) {
            received += part
        }
        #expect(received.components(separatedBy: ": keep-alive").count >= 5 && !received.contains("data:"))
        client.close()
        #expect(try mock.counts("m+comments-ms=5") { $0["cancelled"]?.int == 1 }?["cancelled"]?.int == 1)
    }

    @Test func `only the last requests are kept, and a reset forgets them`() throws {
        let mock = try TestMock(requestsKept: 3)
        for number in 1...5 { _ = try mock.chat("m\(number)") }
        #expect(try mock.get("/mock/requests")["requests"]?.elements.map { $0["model"]?.string } == ["m3", "m4", "m5"])
        #expect(try mock.get("/mock/requests?limit=1")["requests"]?.elements.map { $0["model"]?.string } == ["m5"])
        #expect(try mock.get("/mock/counts")["total"]?["attempts"]?.int == 5)
        _ = try mock.post("/mock/reset", "{}")
        #expect(try mock.get("/mock/requests")["requests"]?.count == 0)
        #expect(try mock.get("/mock/counts")["total"]?["attempts"]?.int == 0)
    }

    @Test func `workers share what was seen`() throws {
        let mock = try TestMock(workers: 3)
        for _ in 0..<12 { _ = try mock.chat("m+status=500+times=6") }
        let counts = try mock.get("/mock/counts")["models"]?["m+status=500+times=6"]
        #expect(counts?["failed"]?.int == 6 && counts?["answered"]?.int == 6)
    }

    // MARK: Refusals

    @Test func `a wrong key is refused, a right one is not`() throws {
        let mock = try TestMock(apiKey: "sk-right")
        #expect(try mock.chat("m", headers: ["authorization: Bearer sk-right"]).status == 200)
        let wrong = try mock.chat("m", headers: ["authorization: Bearer sk-wrong-key"])
        #expect(wrong.status == 401)
        #expect(try JSONThing(wrong.body)["error"]?["code"]?.string == "invalid_api_key")
        #expect(!wrong.body.contains("sk-wrong-key"))
        #expect(try mock.chat("m").body.contains("You didn't provide an API key."))
    }

    @Test(arguments: [
        ("POST", "/v1/nothing", 404, "unknown_url"), ("GET", "/v1/embeddings", 405, "method_not_supported"),
        ("GET", "/v1/models/missing", 404, "model_not_found"), ("POST", "/v1/chat/completions", 400, "invalid_json"),
        ("POST", "/", 404, "unknown_url"),
    ])
    func `what cannot be served gets its error`(method: String, path: String, status: Int, code: String) throws {
        let reply = try TestMock().exchange(method, path, method == "POST" ? "{" : "")
        #expect(reply.status == status)
        #expect(try JSONThing(reply.body)["error"]?["code"]?.string == code)
    }

    @Test func `bytes at random are answered or refused, and the mock goes on`() throws {
        let mock = try TestMock()
        let paths = [
            "chat/completions", "completions", "responses", "embeddings", "moderations", "images/generations",
            "audio/speech", "batches", "uploads",
        ]
        let parts = [
            "{", "}", "[", "]", ":", ",", "\"model\"", "\"messages\"", "\"input\"", "\"prompt\"", "\"role\"",
            "\"tools\"", "null", "1", "\"x\"", "1e999", "\"\\ud800\"",
        ]
        for seed in SplitMix64.seeds(150) {
            var random = SplitMix64(seed)
            let body = (0..<Int.random(in: 1...14, using: &random)).map { _ in
                parts[Int.random(in: 0..<parts.count, using: &random)]
            }.joined()
            let path = paths[Int.random(in: 0..<paths.count, using: &random)]
            let object =
                seed % 2 == 0
                ? body
                : #"{"model":"m","voice":1,"input":\#(parts[Int.random(in: 0..<parts.count, using: &random)]),"messages":[{"role":"user","content":"x"}],"\#(seed)":"x"}"#
            #expect(
                try mock.exchange("POST", "/v1/\(path)", object).status.map { $0 == 200 || $0 == 400 } == true,
                "seed \(seed)")
        }
        #expect(try mock.get("/health")["status"]?.string == "ok")
    }
}
