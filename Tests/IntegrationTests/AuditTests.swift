import Foundation
import Testing

@Suite struct `The audit log of a Sluice` {
    private final class Place {
        let path = NSTemporaryDirectory() + "sluice-audit-\(UUID().uuidString)"
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func events() throws -> [JSON] {
            try String(contentsOfFile: path + "/audit.jsonl", encoding: .utf8).split(separator: "\n").map { JSON($0) }
        }

        func await(_ event: String) throws -> JSON {
            let deadline = Patience.deadline
            while true {
                if let found = try? events().last(where: { $0["event"].string == event }) { return found }
                if .now > deadline { throw TimedOut("\(event): \((try? events()) ?? [])") }
                usleep(5000)
            }
        }
    }

    private func configuration(_ upstream: ScriptedUpstream, _ place: Place, _ more: [String] = []) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.others = [#"audit: {directory: "\#(place.path)"}"#] + more
        return configuration
    }

    @Test func `says when it begins, what a reload has changed, and when it ends; and is whole`() throws {
        let (upstream, place) = (try ScriptedUpstream(), try Place())
        try withSluice(configuration(upstream, place), upstream) { sluice in
            #expect(try place.await("process.started")["actor"].string == "sluice")
            var changed = configuration(upstream, place)
            changed.limits = "body_bytes_max: 4096"
            try sluice.rewriteConfiguration(changed.text)
            #expect(try place.await("config.reloaded")["detail"]["changed"].string == "limits.body_bytes_max")
            #expect(try sluice.health().json["audit"].string == "ok")
            let page = try sluice.health("/api/v1/audit?event=config.reloaded").json
            #expect(page["data"][0]["event"].string == "config.reloaded")
            try sluice.rewriteConfiguration("{ nonsense")
            _ = try place.await("config.refused")
        }
        #expect(try place.events().last?["event"].string == "process.stopped")
        let verified = try SluiceTool.run(["audit", "verify", place.path])
        #expect(verified.status == 0 && verified.output.contains("whole"), "\(verified.output)")
        var lines = try String(contentsOfFile: place.path + "/audit.jsonl", encoding: .utf8)
        lines = lines.replacing("limits.body_bytes_max", with: "nothing")
        try lines.write(toFile: place.path + "/audit.jsonl", atomically: true, encoding: .utf8)
        let broken = try SluiceTool.run(["audit", "verify", place.path])
        #expect(broken.status == 1 && broken.output.contains("BROKEN audit.jsonl:"), "\(broken.output)")
    }

    @Test func `is whole after kill -9 at any time, as the next process sees`() throws {
        let (upstream, place, keys) = (try ScriptedUpstream(), try Place(), try KeyDirectory())
        defer { upstream.stop() }
        let text = configuration(upstream, place, [#"secrets: {key_file: "\#(keys.file)"}"#]).text
        for round in 0..<4 {
            let sluice = try SluiceProcess(text: text)
            for _ in 0..<20 { sluice.signal(SIGHUP) }
            usleep(UInt32(round * 3000))
            sluice.signal(SIGKILL)
            _ = try sluice.process.exitStatus()
        }
        // As a process leaves it that is killed in the middle of a line.
        let handle = try #require(FileHandle(forWritingAtPath: place.path + "/audit.jsonl"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(#"{"seq":999,"prev":"ab"#.utf8))
        try handle.close()
        let last = try SluiceProcess(text: text)
        _ = try place.await("audit.mended")
        try last.end()
        let verified = try SluiceTool.run(["audit", "verify", "--key-file", keys.file, place.path])
        #expect(verified.status == 0 && verified.output.contains("torn line"), "\(verified.output)\(verified.errors)")
    }

    @Test func `on a full disk requests go on, health says so, and it goes on when there is room`() throws {
        let (upstream, place) = (try ScriptedUpstream(), try Place())
        let disk = place.path + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        guard try Tool.run("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]).status == 0 else {
            // Only root may mount, and not in every container.
            upstream.stop()
            return
        }
        defer { _ = try? Tool.run("umount", ["-l", disk]) }
        var configuration = Configuration(upstream)
        configuration.others = [#"audit: {directory: "\#(disk)"}"#]
        try withSluice(configuration, upstream) { sluice in
            // It takes all the room there is, and fails at that.
            _ = try Tool.run("dd", ["if=/dev/zero", "of=\(disk)/filler", "bs=4k"])
            let deadline = Patience.deadline
            var revision = 1
            while try sluice.health().json["audit"].string != "failing" {
                if .now > deadline { throw TimedOut("a failing audit log") }
                revision += 1
                sluice.signal(SIGHUP)
                usleep(20_000)
            }
            #expect(try sluice.chat().status == 200)
            #expect(try sluice.health("/readyz").status == 200)
            try sluice.line("that it fails") { $0["message"].string == "audit log cannot be written: changes are refused" }
            try FileManager.default.removeItem(atPath: disk + "/filler")
            try sluice.line("that it goes on") { $0["message"].string == "audit log is written again" }
            #expect(try sluice.health().json["audit"].string == "ok")
        }
        #expect(try SluiceTool.run(["audit", "verify", disk]).status == 0)
    }
}
