import Foundation
import Testing

/// Requests with an `Idempotency-Key`.
@Suite struct `An idempotency key` {
    private let key = "idempotency-key: k-1"

    @Test func `has the work done once, and its reply sent again`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let first = try sluice.chat(Sample.chat, [key])
            let second = try sluice.chat(Sample.chat, [key, "x-request-id: again"])
            #expect(first["x-sluice-idempotent"] == nil && second["x-sluice-idempotent"] == "replayed")
            #expect(
                second.text == first.text && second["x-request-id"] == "again"
                    && second["content-type"] == "application/json")
            #expect(
                try upstream.requests.first("the request")["idempotency-key"] == "k-1"
                    && upstream.requests.all.count == 1)
            #expect(try sluice.exchangeLine("again")["sluice.idempotency.state"].string == "replayed")
            #expect(try sluice.exchangeLine("again")["sluice.usage.source"].string == "cache")
            _ = try sluice.chat(Sample.chat, ["idempotency-key: k-2"])
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `stands for one request of one caller`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            _ = try sluice.chat(Sample.chat, [key])
            let other = try sluice.chat(Sample.streamedChat, [key])
            #expect(other.status == 409 && other.json["error"]["code"].string == "idempotency_conflict")
            #expect(other["x-should-retry"] == "false")
            let elsewhere = try sluice.exchange("POST", "/v1/completions", [key], Sample.chat)
            #expect(elsewhere.status == 409)
            let wire = try sluice.connect()
            try wire.send(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer other\r\n\(key)\r\n"
                    + "content-length: \(Sample.chat.utf8.count)\r\n\r\n" + Sample.chat)
            #expect(try wire.readResponse().status == 200)
            #expect(upstream.requests.all.count == 2)
            let tooLong = try sluice.chat(Sample.chat, ["idempotency-key: " + String(repeating: "k", count: 257)])
            #expect(tooLong.status == 400 && tooLong.json["error"]["code"].string == "invalid_idempotency_key")
        }
    }

    @Test func `joins requests that are under way`() throws {
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            _ = gate.wait(timeout: .now() + 60)
            try connection.reply(Sample.completion)
        }
        var configuration = Configuration(upstream)
        configuration.workers = 2
        try withSluice(configuration, upstream) { sluice in
            let wires = try (0..<10).map { _ in
                let wire = try sluice.connect()
                try wire.ask("POST", "/v1/chat/completions", [key], Sample.chat)
                return wire
            }
            while try sluice.health().json["in_flight"].int ?? 0 < 10 { usleep(5000) }
            #expect(try sluice.chat(Sample.echo, [key]).status == 409)
            gate.signal()
            let replies = try wires.map { try $0.readResponse() }
            #expect(replies.allSatisfy { $0.text == Sample.completion })
            #expect(replies.filter { $0["x-sluice-idempotent"] == "joined" }.count == 9)
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `takes over from one that failed, and does not call the wait for it Sluice's own doing`() throws {
        let calls = CallCounter()
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            if calls.increment() > 1 { return try connection.reply(Sample.completion) }
            _ = gate.wait(timeout: .now() + 60)
            try connection.reply(#"{"error":{"message":"Busy."}}"#, status: "429 Too Many Requests")
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let first = try sluice.connect()
            try first.ask("POST", "/v1/chat/completions", [key], Sample.chat)
            try upstream.requests.first("the first request")
            let second = try sluice.connect()
            try second.ask("POST", "/v1/chat/completions", [key], Sample.chat)
            while try sluice.health().json["in_flight"].int ?? 0 < 2 { usleep(5000) }
            // As long as it is to wait at least.
            usleep(1_500_000)
            gate.signal()
            #expect(try first.readResponse().status == 429)
            let reply = try second.readResponse()
            let told = try #require(reply["x-sluice-overhead-ms"].flatMap(Double.init))
            #expect(reply.status == 200 && told < 1200, "\(told) ms")
        }
    }

    @Test func `repeats streams, errors that stay, and images`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request.target == "/v1/images/generations" {
                return try connection.reply(#"{"created":1,"data":[{"b64_json":"aGk="}]}"#)
            }
            if request.json["stream"].bool != true {
                return try connection.reply(
                    #"{"error":{"message":"No.","type":"t","param":null,"code":"c"}}"#, status: "400 Bad Request")
            }
            try connection.startStream()
            for event in [Sample.delta("a"), Sample.delta("b"), Sample.finish, Sample.done] {
                try connection.event(event)
            }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            for _ in 0..<2 {
                let stream = try sluice.stream(Sample.streamedChat, ["idempotency-key: s"])
                #expect(stream.head["content-type"]?.hasPrefix("text/event-stream") == true)
                _ = try stream.rest()
                #expect(
                    String(decoding: stream.received, as: UTF8.self)
                        == Sample.events([Sample.delta("a"), Sample.delta("b"), Sample.finish, Sample.done]))
                let error = try sluice.chat(Sample.chat, ["idempotency-key: e"])
                #expect(error.status == 400 && error.json["error"]["code"].string == "c")
                let image = try sluice.exchange(
                    "POST", "/v1/images/generations", ["idempotency-key: i"], #"{"model":"m","prompt":"x"}"#)
                #expect(image.json["data"][0]["b64_json"].string == "aGk=")
            }
            #expect(upstream.requests.all.count == 3)
        }
    }

    @Test func `does not stand in the way of another try`() throws {
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, request in
            switch calls.increment() {
            case 1: try connection.reply(#"{"error":{"message":"Busy."}}"#, status: "429 Too Many Requests")
            case 2: try connection.reply(#"{"error":{"message":"No."}}"#, status: "503 Service Unavailable")
            case 3: connection.isOver = true
            default: try connection.reply(Sample.completion)
            }
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            var statuses: [Int] = []
            for _ in 0..<5 { statuses.append(try sluice.chat(Sample.chat, [key]).status) }
            #expect(statuses == [429, 503, 502, 200, 200] && upstream.requests.all.count == 4)
        }
    }

    @Test func `does not keep a stream that told of an error`() throws {
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            let isFirst = calls.increment() == 1
            try connection.event(Sample.delta("a"))
            if isFirst {
                try connection.event(#"{"error":{"message":"Overloaded.","type":"server_error","code":"x"}}"#)
            } else {
                try connection.event(Sample.finish)
            }
            try connection.event(Sample.done)
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            for number in 0..<3 {
                let stream = try sluice.stream(Sample.streamedChat, [key])
                _ = try? stream.rest()
                #expect(String(decoding: stream.received, as: UTF8.self).contains("Overloaded") == (number == 0))
            }
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `is refused after a reply that was too long to be kept`() throws {
        let long = Sample.completion.replacingOccurrences(of: "Hi.", with: String(repeating: "x", count: 5000))
        let upstream = try ScriptedUpstream(reply: long)
        var configuration = Configuration(upstream)
        configuration.others = ["idempotency: {entry_bytes_max: 1024}"]
        try withSluice(configuration, upstream) { sluice in
            #expect(try sluice.chat(Sample.chat, [key]).text == long)
            let again = try sluice.chat(Sample.chat, [key])
            #expect(again.status == 409 && again.json["error"]["code"].string == "idempotency_not_replayable")
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `means nothing where that is turned off`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.others = ["idempotency: {enabled: false}"]
        try withSluice(configuration, upstream) { sluice throws in
            for _ in 0..<2 { #expect(try sluice.chat(Sample.chat, [key]).status == 200) }
            #expect(upstream.requests.all.count == 2)
        }
    }
}
