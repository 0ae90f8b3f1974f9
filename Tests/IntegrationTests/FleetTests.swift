import Foundation
import TestSupport
import Testing

/// What is set through the management API of one node, on the others.
@Suite struct `A fleet` {
    private struct Node {
        let store: Store
        let configuration: Configuration
    }

    private func nodes(_ count: Int, _ upstream: ScriptedUpstream, _ redis: RedisProcess) throws -> [Node] {
        try (0..<count).map { _ in
            let store = try Store()
            var configuration = Configuration(upstream)
            configuration.others = [
                #"storage: {directory: "\#(store.path)"}"#, #"redis: {url: "redis://127.0.0.1:\#(redis.port)"}"#,
                #"control: {fleet: true, shared_secret: "\#(Store.secret)"}"#,
            ]
            return Node(store: store, configuration: configuration)
        }
    }

    private func awaitRevision(_ revision: Int, _ sluice: SluiceProcess) throws {
        try awaitTrue("revision \(revision)") { try sluice.health().json["control_revision"].int == revision }
    }

    /// Redis is connected to in the background: until then nothing can be agreed upon.
    private func set(_ name: String, _ sluice: SluiceProcess, _ body: String = #"{"provider":"mock"}"#) throws {
        try awaitTrue("the model \(name)") {
            try sluice.api("PUT", "/api/v1/models/\(name)", body).status == 200
        }
    }

    @Test func `follows within a second, and who comes later has it all`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let redis = try RedisProcess()
        let nodes = try nodes(3, upstream, redis)
        try withSluice(nodes[0].configuration) { one throws in
            try set("m0", one)
            try withSluice(nodes[1].configuration) { two throws in
                try awaitRevision(1, two)
                var times: [Duration] = []
                for number in 1...5 {
                    let (writer, reader) = number.isMultiple(of: 2) ? (two, one) : (one, two)
                    try set("m\(number)", writer, #"{"provider":"mock","upstream_model":"u\#(number)"}"#)
                    let start = ContinuousClock.now
                    try awaitRevision(number + 1, reader)
                    times.append(ContinuousClock.now - start)
                    #expect(try reader.chat(#"{"model":"m\#(number)","messages":[]}"#).status == 200)
                }
                // One that waits for the next look at Redis is slow each time, a busy machine is not.
                #expect(times.sorted()[2] < .seconds(1), "\(times)")
                try withSluice(nodes[2].configuration) { three throws in
                    try awaitRevision(6, three)
                    #expect(try three.api("GET", "/api/v1/models/m5").json["upstream_model"].string == "u5")
                    let etags = try [one, two, three].map { try $0.api("GET", "/api/v1/config?layer=api")["etag"] }
                    #expect(Set(etags).count == 1)
                }
            }
        }
        #expect(!redis.ask("HGETALL sluice:control").contains("upstream_model"))
    }

    @Test func `lets one of two nodes win, and the other knows`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let redis = try RedisProcess()
        let nodes = try nodes(2, upstream, redis)
        try withSluice(nodes[0].configuration) { one throws in
            try withSluice(nodes[1].configuration) { two throws in
                try set("m", one)
                try awaitRevision(1, two)
                let etag = try #require(try two.api("GET", "/api/v1/models/m")["etag"])
                let outcomes = Mutexed<[Int]>([])
                DispatchQueue.concurrentPerform(iterations: 8) { number in
                    let node = number.isMultiple(of: 2) ? one : two
                    let reply = try? node.api(
                        "PATCH", "/api/v1/models/m", #"{"upstream_model":"x\#(number)"}"#, ["if-match: \(etag)"])
                    outcomes.change { $0.append(reply?.status ?? 0) }
                }
                #expect(outcomes.value.sorted() == [200] + Array(repeating: 412, count: 7), "\(outcomes.value)")
                try awaitRevision(2, one)
                try awaitRevision(2, two)
                let said = try [one, two].map { try $0.api("GET", "/api/v1/models/m").json["upstream_model"].string }
                #expect(said[0] == said[1])
            }
        }
    }

    @Test func `goes on without Redis, refuses changes meanwhile, and gives Redis back what it lost`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let redis = try RedisProcess()
        let nodes = try nodes(2, upstream, redis)
        try withSluice(nodes[0].configuration) { one throws in
            try set("m", one)
            redis.kill()
            try awaitTrue("the refusal") { try one.api("PUT", "/api/v1/models/n", #"{"provider":"mock"}"#).status == 503 }
            #expect(try one.chat(#"{"model":"m","messages":[]}"#).status == 200)
            // Over a restart too.
            one.signal(SIGTERM)
            _ = try one.process.exitStatus()
        }
        try withSluice(nodes[0].configuration) { one throws in
            #expect(try one.health().json["control_revision"].int == 1)
            #expect(try one.chat(#"{"model":"m","messages":[]}"#).status == 200)
            // Back, and empty.
            try redis.start()
            redis.ask("FLUSHALL")
            try awaitTrue("what was lost") { redis.ask("HGET sluice:control head").contains("1") }
            try withSluice(nodes[1].configuration) { two throws in
                try awaitRevision(1, two)
                try set("n", two)
                try awaitRevision(2, one)
            }
        }
    }

    @Test func `believes nothing that no node of it has written`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let redis = try RedisProcess()
        let nodes = try nodes(2, upstream, redis)
        try withSluice(nodes[0].configuration) { one throws in
            try set("a", one)
            try set("b", one)
            let old = redis.ask("HGET sluice:control u:models/a")
            #expect(!old.isEmpty)
            for command in [
                "HSET sluice:control head 3", "HSET sluice:control head 3 r:3 Z2FyYmFnZQ==", "HSET sluice:control head -7",
                "HSET sluice:control head x", "HSET sluice:control head 9999999 mark AAAA", "SET sluice:control nonsense",
                "PUBLISH sluice:control 99",
            ] {
                if command.hasPrefix("SET") { redis.ask("DEL sluice:control") }
                redis.ask(command)
                usleep(700_000)
                #expect(try one.health().json["control_revision"].int == 2, "\(command)")
                #expect(try one.chat(#"{"model":"b","messages":[]}"#).status == 200, "\(command)")
            }
            try one.line("that it was not followed") {
                $0["message"].string == "configuration of the fleet cannot be followed"
            }
            redis.ask("DEL sluice:control")
            try awaitTrue("what was there") { redis.ask("HGET sluice:control head").contains("2") }
            // An old row in the place of a new one: who knows nothing better takes none of it.
            let before = redis.ask("HGET sluice:control u:models/a").split(separator: "\r\n").last.map(String.init) ?? ""
            try set("a", one, #"{"provider":"mock","upstream_model":"new"}"#)
            redis.ask("HSET sluice:control u:models/a \(before)")
            redis.ask("HDEL sluice:control r:1 r:2 r:3")
            try withSluice(nodes[1].configuration) { two throws in
                try two.line("that it was not followed") {
                    $0["error.message"].string?.contains("do not belong together") == true
                }
                #expect(try two.health().json["control_revision"].int == 0)
                #expect(try two.chat().status == 200)
            }
        }
    }

    @Test func `needs a key that all of it have`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let redis = try RedisProcess()
        var bare = try nodes(1, upstream, redis)[0].configuration
        bare.others = bare.others.map { $0.hasPrefix("control") ? "control: {fleet: true}" : $0 }
        #expect(throws: SluiceProcess.NotReady.self) { _ = try SluiceProcess(bare) }
        let nodes = try nodes(2, upstream, redis)
        var stranger = nodes[1].configuration
        stranger.others = stranger.others.map { $0.replacingOccurrences(of: "shared-", with: "strange-") }
        try withSluice(nodes[0].configuration) { one throws in
            try set("m", one)
            try withSluice(stranger) { other throws in
                try other.line("that it was not followed") {
                    $0["message"].string == "configuration of the fleet cannot be followed"
                }
                #expect(try other.health().json["control_revision"].int == 0)
                #expect(try other.api("PUT", "/api/v1/models/x", #"{"provider":"mock"}"#).status == 503)
                #expect(try one.health().json["control_revision"].int == 1)
            }
        }
    }

    @Test func `keeps what holds where a revision does not fit the file of a node`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let redis = try RedisProcess()
        let nodes = try nodes(2, upstream, redis)
        var other = nodes[1].configuration
        other.add("mock", upstream)
        other.providers = [#""only": {base_url: "http://127.0.0.1:\#(upstream.port)/v1"}"#]
        try withSluice(nodes[0].configuration) { one throws in
            try withSluice(other) { two throws in
                try set("m", one)
                try two.line("the refusal") {
                    $0["message"].string == "configuration of the fleet refused: the old one stays in force"
                }
                #expect(try two.chat().status == 200)
                #expect(try two.health().json["control_revision"].int == 0)
                // What comes next fits again.
                #expect(try one.api("DELETE", "/api/v1/models/m").status == 200)
                try awaitRevision(2, two)
            }
        }
    }
}
