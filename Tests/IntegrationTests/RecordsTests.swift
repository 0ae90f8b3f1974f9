import Foundation
import Glibc
import TestSupport
import Testing

/// What is recorded of requests, by the real program.
@Suite struct `Records` {
    private func configuration(
        _ upstream: ScriptedUpstream, _ store: Store, _ records: String = "", _ others: [String] = []
    ) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.models =
            #"priced: {targets: [{provider: "mock", upstream_model: "m", price: {input: 2, output: 8}}]}"#
        configuration.others =
            [#"storage: {directory: "\#(store.path)"}"#, "records: {commit_interval_ms: 50, \(records)}"] + others
        return configuration
    }

    /// Waits until the history has so many records.
    @discardableResult
    private func history(_ sluice: SluiceProcess, _ query: String = "", count: Int) throws -> [JSON] {
        let deadline = Patience.deadline
        while true {
            let reply = try sluice.api("GET", "/api/v1/history?limit=1000\(query)")
            let records = reply.json["records"].array
            if records.count == count { return records }
            if .now > deadline { throw TimedOut("\(count) records: \(reply.text)") }
            usleep(10_000)
        }
    }

    @Test func `every request to a model is recorded once, whatever becomes of it`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            switch request.json["model"].string {
            case "broken": try connection.reply(#"{"error":{"message":"out of order"}}"#, status: "500 Internal Server Error")
            default: try connection.reply(Sample.completion)
            }
        }
        let store = try Store()
        try withSluice(configuration(upstream, store), upstream) { sluice in
            _ = try sluice.chat(
                #"{"model":"priced","temperature":0.5,"messages":[{"role":"user","content":"secret words"}]}"#,
                ["x-request-id: fine", "x-sluice-user: ada", "x-sluice-team: engines"])
            _ = try sluice.chat(#"{"model":"broken","messages":[]}"#, ["x-request-id: broken"])
            _ = try sluice.chat(#"{"messages":[]}"#, ["x-request-id: refused"])
            _ = try sluice.exchange("GET", "/v1/models")
            let records = try history(sluice, count: 3)
            #expect(records.map { $0["request_id"].string } == ["refused", "broken", "fine"])
            let fine = records[2]
            #expect(fine["user_id"].string == "ada" && fine["team"].string == "engines")
            #expect(fine["status"].string == "complete" && fine["http_status"].int == 200)
            #expect(fine["provider"].string == "mock" && fine["upstream_model"].string == "m")
            #expect(fine["request_params"]["temperature"].value as? Double == 0.5)
            #expect(fine["request_params"]["messages"].int == 1)
            #expect(fine["usage_source"].string == "provider")
            let cost = 2 * (fine["tokens"]["input"].int ?? -1) + 8 * (fine["tokens"]["output"].int ?? -1)
            #expect(fine["cost_micros"].int == cost)
            #expect(fine["attempts"].array.count == 1 && fine["attempts"][0]["result"].string == "ok")
            #expect(records[1]["status"].string != "complete" && records[1]["http_status"].int == 500)
            #expect(records[0]["error_code"].string == "missing_model" && records[0]["cost_micros"].int == 0)
            #expect(try !store.contains("secret words"))

            let one = try sluice.api("GET", "/api/v1/history/fine").json
            #expect(one["id"].string == fine["id"].string && one["request_body"].string == nil)
            #expect(try sluice.api("GET", "/api/v1/history/none").status == 404)
            #expect(try history(sluice, "&user=ada&model=priced&status=200&team=engines&provider=mock", count: 1).count == 1)
            #expect(try history(sluice, "&status=failed", count: 2).count == 2)
            #expect(try history(sluice, "&user=%27%20OR%201%3D1%20--", count: 0).isEmpty)
            #expect(try sluice.api("GET", "/api/v1/history?cursor=0123").status == 400)
            let usage = try sluice.api("GET", "/api/v1/usage?group_by=user,model&user=ada").json["usage"]
            #expect(usage[0]["requests"].int == 1 && usage[0]["cost_micros"].int == cost)
        }
    }

    @Test func `what was answered in place of a provider is what is recorded`() throws {
        let isDown = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            if isDown.all.isEmpty { return try connection.reply(Sample.completion) }
            try connection.reply(#"{"error":{"message":"no","type":"t","code":"c"}}"#, status: "503 X")
        }
        let store = try Store()
        let others = [#"cache: {ttl_ms: 1000, ttl_jitter: 0, stale_if_error_ms: 60000}"#, #"degraded: {text: "Later, please."}"#]
        try withSluice(configuration(upstream, store, #"bodies: "full", plain_bodies: true"#, others), upstream) { sluice in
            func ask(_ words: String, _ id: String) throws {
                let chat = #"{"model":"m","temperature":0,"messages":[{"role":"user","content":"\#(words)"}]}"#
                #expect(try sluice.chat(chat, ["x-request-id: \(id)"]).status == 200)
            }
            try ask("Hello", "fresh")
            isDown.record(true)
            usleep(1_200_000)
            try ask("Hello", "stale")
            try ask("Something else", "fixed")
            try history(sluice, count: 3)
            for (id, words) in [("fresh", "Hi."), ("stale", "Hi."), ("fixed", "Later, please.")] {
                let record = try sluice.api("GET", "/api/v1/history/\(id)").json
                #expect(record["response_data"].string?.contains(words) == true, "\(id): \(record)")
            }
        }
    }

    @Test func `exports are tables that no spreadsheet takes for formulas`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        try withSluice(configuration(upstream, store), upstream) { sluice in
            _ = try sluice.chat(Sample.chat, ["x-sluice-user: =cmd|' /C calc'!A0"])
            _ = try sluice.chat(Sample.chat, [#"x-sluice-user: a,"b""#])
            try history(sluice, count: 2)
            let table = try sluice.api("GET", "/api/v1/history", "", ["accept: text/csv"])
            #expect(table["content-type"]?.hasPrefix("text/csv") == true)
            let lines = table.text.components(separatedBy: "\r\n")
            #expect(lines.count == 4 && lines[0].hasPrefix("id,request_id,"))
            #expect(table.text.contains(#""'=cmd|' /C calc'!A0""#))
            #expect(table.text.contains(#""a,""b""""#))
            let rows = try sluice.api("GET", "/api/v1/history", "", ["accept: application/x-ndjson"])
            #expect(rows.text.split(separator: "\n").map { JSON(String($0))["status"].string } == ["complete", "complete"])
        }
    }

    @Test func `a kill loses no more than a commit interval`() throws {
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let store = try Store()
        let configuration = configuration(upstream, store)
        let first = try SluiceProcess(configuration)
        for number in 0..<20 { _ = try first.chat(Sample.chat, ["x-request-id: early-\(number)"]) }
        // One interval, and what the machine may be late.
        usleep(1_000_000)
        for number in 0..<5 { _ = try first.chat(Sample.chat, ["x-request-id: late-\(number)"]) }
        first.signal(SIGKILL)
        _ = try first.process.exitStatus()
        try withSluice(configuration) { second in
            let ids = try second.api("GET", "/api/v1/history?limit=1000").json["records"].array.compactMap { $0["request_id"].string }
            #expect(Set(ids).isSuperset(of: (0..<20).map { "early-\($0)" }))
            #expect(Set(ids).count == ids.count)
        }
    }

    @Test func `an orderly end loses nothing`() throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        try withSluice(configuration(upstream, store)) { sluice in
            for number in 0..<20 { _ = try sluice.chat(Sample.chat, ["x-request-id: \(number)"]) }
        }
        try withSluice(configuration(upstream, store), upstream) { sluice in try history(sluice, count: 20) }
    }

    @Test func `a full disk stops recording, and not serving`() throws {
        let directory = NSTemporaryDirectory() + "sluice-tmpfs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        guard Shell.run("mount -t tmpfs -o size=1m,mode=700 sluice-test \(directory)") == 0 else { return }
        defer { _ = Shell.run("umount -l \(directory)") }
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.others = [
            #"storage: {directory: "\#(directory)"}"#, "records: {commit_interval_ms: 20}", #"control: {source: "file"}"#,
        ]
        try withSluice(configuration, upstream) { sluice in
            _ = try sluice.chat(Sample.chat, ["x-request-id: before"])
            try history(sluice, count: 1)
            #expect(Shell.run("dd if=/dev/zero of=\(directory)/filler bs=4k 2>/dev/null") != 0)
            let deadline = Patience.deadline
            while try sluice.health().json["records_error"].string == nil {
                #expect(try sluice.chat().status == 200)
                if .now > deadline { throw TimedOut("a full disk") }
                usleep(5000)
            }
            try sluice.line("that it has stopped") { $0["message"].string == "records are not kept" }
            #expect(try sluice.chat(Sample.chat, ["x-request-id: meanwhile"]).status == 200)
            #expect(Shell.run("rm \(directory)/filler") == 0)
            try sluice.line("that it goes on") { $0["message"].string == "records are kept again" }
            #expect(try sluice.health().json["records_error"].string == nil)
            try history(sluice, "&request_id=meanwhile", count: 1)
        }
    }

    @Test func `nothing is lost on the way to a collector that is killed`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let stores = (try Store(), try Store())
        let section = #"redis: {url: "redis://127.0.0.1:\#(redis.port)", timeout_ms: 200}"#
        let node = configuration(upstream, stores.0, #"stream: {node: "node-1"}"#, [section])
        let collector = configuration(upstream, stores.1, #"stream: {node: "hub"}, collect: true"#, [section])
        try withSluice(node) { sluice in
            for round in 0..<3 {
                let hub = try SluiceProcess(collector)
                for number in 0..<30 { _ = try sluice.chat(Sample.chat, ["x-request-id: \(round)-\(number)"]) }
                // In the middle of it.
                usleep(UInt32(150_000 + round * 60_000))
                hub.signal(SIGKILL)
                _ = try hub.process.exitStatus()
            }
            try withSluice(collector) { hub in
                let records = try history(hub, count: 90)
                #expect(Set(records.compactMap { $0["request_id"].string }).count == 90)
                #expect(records.allSatisfy { $0["origin"].string == "node-1" })
                let usage = try hub.api("GET", "/api/v1/usage").json["usage"].array
                #expect(usage.reduce(0) { $0 + ($1["requests"].int ?? 0) } == 90)
            }
        }
    }
}

/// Commands of the test's machine.
enum Shell {
    static func run(_ command: String) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        guard (try? process.run()) != nil else { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
