import Foundation
import TestSupport
import Testing

/// Two processes with one Redis: what one has found out, the other takes as a hint.
@Suite struct `Hints between processes` {
    private func withPair(
        _ model: String,
        _ body: (_ one: SluiceProcess, _ other: SluiceProcess, MockProcess, RedisProcess) throws -> Void
    ) throws {
        let mock = try MockProcess()
        let redis = try RedisProcess()
        defer {
            mock.stop()
            redis.kill()
        }
        var configuration = Configuration()
        configuration.providers.append(mock.provider("mock"))
        configuration.models = #"m: {provider: "mock", upstream_model: "\#(model)"}"#
        configuration.retries = "attempts_max: 1"
        configuration.breakers = "open_base_ms: 60000"
        configuration.others = [#"redis: {url: "redis://127.0.0.1:\#(redis.port)"}"#]
        try withSluice(configuration) { one throws in
            try withSluice(configuration) { other throws in
                try awaitTrue("both to speak") {
                    try [one, other].allSatisfy { try $0.health("/redis").json["state"].string == "up" }
                }
                try awaitTrue("both to listen") {
                    redis.ask("PUBSUB NUMSUB sluice:health").components(separatedBy: "\r\n:").last?.hasPrefix("2") == true
                }
                try body(one, other, mock, redis)
            }
        }
    }

    @Test func `an open breaker is open elsewhere too`() throws {
        try withPair("gpt-mock+status=500") { one, other, mock, _ throws in
            for _ in 0..<5 { _ = try one.chat() }
            try other.line("the hint") {
                $0["message"].string == "breaker opened" && $0["event.reason"].string == "hint"
            }
            #expect(try other.chat().json["error"]["code"].string == "circuit_open")
            #expect(try mock.counts("gpt-mock+status=500").attempts == 5)
        }
    }

    @Test func `a closed key is closed elsewhere too`() throws {
        let model = "gpt-mock+status=429+retry-after=60"
        try withPair(model) { one, other, mock, _ throws in
            _ = try one.chat()
            try awaitTrue("the hint") {
                let targets = try other.health("/targets").json["targets"].array
                return targets.contains { !$0["closed_keys"].array.isEmpty }
            }
            #expect(try other.chat().json["error"]["code"].string == "rate_limit_exceeded")
            #expect(try mock.counts(model).attempts == 1)
        }
    }

    @Test func `without Redis everybody finds out alone`() throws {
        try withPair("gpt-mock+status=500") { one, other, mock, redis throws in
            redis.kill()
            for _ in 0..<6 { _ = try one.chat() }
            #expect(try one.chat().json["error"]["code"].string == "circuit_open")
            #expect(try other.chat().status == 500)
        }
    }
}
