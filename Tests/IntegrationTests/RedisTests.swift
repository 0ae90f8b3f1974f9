import Foundation
import TestSupport
import Testing

/// Redis as the whole program uses it: it is never a reason for a request to fail, or for the process to be unready.
@Suite struct `A Sluice with Redis` {
    private func configuration(_ upstream: ScriptedUpstream, _ redis: String) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.workers = 2
        configuration.others = ["redis: {\(redis)}"]
        return configuration
    }

    private func awaitState(_ state: String, _ sluice: SluiceProcess) throws {
        let deadline = Patience.deadline
        while true {
            let report = try sluice.health("/redis").json
            if report["state"].string == state { return }
            if .now > deadline { throw TimedOut("the state \(state): \(report)") }
            usleep(2000)
        }
    }

    @Test func `serves while it is stopped and gone, and says so once each time`() throws {
        let upstream = try ScriptedUpstream()
        let server = try RedisProcess(password: Secrets.provider)
        let redis = #"url: "redis://:\#(Secrets.provider)@127.0.0.1:\#(server.port)/1""#
        try withSluice(configuration(upstream, redis), upstream) { sluice in
            try awaitState("up", sluice)
            #expect(try sluice.health().json["redis"].string == "up")
            #expect(try sluice.chat().status == 200)
            server.kill()
            try sluice.line("that it is gone") { $0["message"].string?.hasPrefix("redis unavailable") == true }
            #expect(try sluice.chat().status == 200)
            #expect(try sluice.health("/readyz").status == 200)
            #expect(try sluice.health().json["redis"].string == "down")
            try server.start()
            let line = try sluice.line("that it is back") { $0["message"].string == "redis available again" }
            #expect(line["server.address"].string == "127.0.0.1:\(server.port)")
            try awaitState("up", sluice)
            let events = sluice.process.output.lines.all.filter { $0.contains(#""redis "#) }
            #expect(events.count == 2, "\(events)")
        }
    }

    @Test func `uses another when the configuration says so, and none when it does not`() throws {
        let upstream = try ScriptedUpstream()
        let first = try RedisProcess()
        let second = try RedisProcess()
        try withSluice(configuration(upstream, #"url: "redis://127.0.0.1:\#(first.port)""#), upstream) { sluice in
            try awaitState("up", sluice)
            #expect(first.ask("CLIENT LIST").contains("name=sluice"))
            var changed = configuration(upstream, #"url: "redis://127.0.0.1:\#(second.port)""#)
            try sluice.rewriteConfiguration(changed.text)
            sluice.signal(SIGHUP)
            let deadline = Patience.deadline
            while first.ask("CLIENT LIST").contains("name=sluice") || !second.ask("CLIENT LIST").contains("name=sluice")
            {
                if .now > deadline { throw TimedOut("the connections to move") }
            }
            let report = try sluice.health("/redis").json
            #expect(report["servers"][0]["address"].string == "127.0.0.1:\(second.port)")
            changed.others = []
            try sluice.rewriteConfiguration(changed.text)
            sluice.signal(SIGHUP)
            try awaitState("off", sluice)
            #expect(try sluice.chat().status == 200)
        }
    }

    @Test func `starts and serves though there is no Redis where it should be`() throws {
        let upstream = try ScriptedUpstream()
        let port = FreePort.next()
        for redis in [
            #"url: "redis://127.0.0.1:\#(port)""#, #"sentinels: ["127.0.0.1:\#(port)"], master: "main""#,
            #"cluster: ["127.0.0.1:\#(port)"]"#,
        ] {
            try withSluice(configuration(upstream, redis)) { sluice in
                try sluice.line("that it is not there") { $0["message"].string?.hasPrefix("redis unavailable") == true }
                #expect(try sluice.chat().status == 200)
                #expect(try sluice.health().json["redis"].string == "down")
            }
        }
        upstream.stop()
    }
}
