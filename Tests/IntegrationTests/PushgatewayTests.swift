import Foundation
import Glibc
import TestSupport
import Testing

/// Metrics that are sent to a Pushgateway: a real one, and one that is a script.
@Suite struct `Pushgateway` {
    private func configuration(_ upstream: ScriptedUpstream, _ push: String) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.others = ["metrics: {push: {kind: \"pushgateway\", interval_ms: 1000, \(push)}}"]
        return configuration
    }

    private func url(_ port: UInt16) -> String { #"url: "http://127.0.0.1:\#(port)""# }

    @Test func `a real one has all metrics of ours, and nothing of them after the end`() throws {
        let gateway = try MonitoringProcess(.pushgateway)
        let upstream = try ScriptedUpstream()
        let push = url(gateway.port) + #", job: "edge/one", labels: {zone: "z 1", route: "ours"}"#
        try withSluice(configuration(upstream, push), upstream, environment: ["POD_NAME": "pod-7"]) { sluice in
            for _ in 0..<3 { _ = try sluice.chat() }
            let instance = "pod-7:\(sluice.ports[0])"
            try awaitTrue("three requests in the Pushgateway") {
                let line = try gateway.get("/metrics").text.split(separator: "\n").first {
                    $0.hasPrefix("sluice_requests_total{") && $0.contains(#"instance="\#(instance)""#)
                }
                guard let line, line.hasSuffix(" 3") else { return false }
                return line.contains(#"job="edge/one""#) && line.contains(#"zone="z 1""#)
                    && line.contains(#"route="ours""#) && line.contains(#"exported_route=""#)
            }
            let text = try gateway.get("/metrics").text
            #expect(text.contains("# TYPE gen_ai_server_request_duration_seconds histogram"))
            #expect(text.contains("process_resident_memory_bytes{"))
            #expect(try gateway.groups().map { $0["instance"].string } == [instance])
        }
        #expect(try gateway.groups().isEmpty)
    }

    @Test func `the last word is the last counts, and then that the group is gone`() throws {
        let gateway = try ScriptedUpstream { connection, _ in try connection.reply("") }
        defer { gateway.stop() }
        let upstream = try ScriptedUpstream()
        let push = url(gateway.port) + #", interval_ms: 3600000, instance: "i""#
        var configuration = Configuration(upstream)
        configuration.others = ["metrics: {push: {kind: \"pushgateway\", \(push)}}"]
        try withSluice(configuration, upstream) { sluice in for _ in 0..<5 { _ = try sluice.chat() } }
        let requests = gateway.requests.all
        #expect(requests.suffix(2).map(\.method) == ["PUT", "DELETE"])
        #expect(Set(requests.map(\.target)) == ["/metrics/job/sluice/instance/i"])
        let last = requests.dropLast().last
        #expect(last?["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(last?.text.contains(/sluice_requests_total\{[^}]*\} 5\n/) == true)
    }

    @Test func `the last counts stay for as long as they may`() throws {
        let gateway = try MonitoringProcess(.pushgateway)
        let upstream = try ScriptedUpstream()
        defer { upstream.stop() }
        let sluice = try SluiceProcess(configuration(upstream, url(gateway.port) + ", linger_ms: 1500"))
        for _ in 0..<4 { _ = try sluice.chat() }
        sluice.signal(SIGTERM)
        try awaitTrue("the last counts") {
            try gateway.get("/metrics").text.split(separator: "\n").contains {
                $0.hasPrefix("sluice_requests_total{") && $0.hasSuffix(" 4")
            } && sluice.hasBegunToEnd
        }
        // A second signal would end it at once.
        #expect(try sluice.process.exitStatus() == 0)
        try sluice.end()
        #expect(try gateway.groups().isEmpty)
    }

    @Test func `a reload that names another job leaves nothing of the one before`() throws {
        let gateway = try MonitoringProcess(.pushgateway)
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, url(gateway.port) + #", job: "one""#), upstream) { sluice in
            try awaitTrue("the first job") { try gateway.groups().map { $0["job"].string } == ["one"] }
            try sluice.rewriteConfiguration(configuration(upstream, url(gateway.port) + #", job: "two""#).text)
            sluice.signal(SIGHUP)
            try awaitTrue("the second job alone") { try gateway.groups().map { $0["job"].string } == ["two"] }
        }
        #expect(try gateway.groups().isEmpty)
    }

    @Test func `a process that hands over leaves the group to its successor`() throws {
        let gateway = try ScriptedUpstream { connection, _ in try connection.reply("") }
        defer { gateway.stop() }
        let upstream = try ScriptedUpstream()
        let path = NSTemporaryDirectory() + "sluice-\(UUID().uuidString.prefix(8)).handover"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var configuration = configuration(upstream, url(gateway.port) + #", instance: "i""#)
        let first = try SluiceProcess(configuration, arguments: ["--handover", path])
        try gateway.requests.count(1, "pushes")
        configuration.listeners = [#"{address: "127.0.0.1:\#(first.ports[0])"}"#]
        try withSluice(configuration, upstream, arguments: ["--handover", path]) { second in
            #expect(try first.process.exitStatus() == 0)
            try first.end()
            try awaitTrue("a push of the second") { try second.pushes("accepted") >= 1 }
            #expect(!gateway.requests.all.contains { $0.method == "DELETE" })
        }
        #expect(gateway.requests.all.last?.method == "DELETE")
    }

    @Test func `one that was killed, or stopped, is told of once, and has everything when it is back`() throws {
        let gateway = try MonitoringProcess(.pushgateway)
        let upstream = try ScriptedUpstream()
        let push = url(gateway.port) + ", timeout_ms: 300"
        try withSluice(configuration(upstream, push), upstream) { sluice in
            try awaitTrue("the group") { try gateway.groups().count == 1 }
            for isKilled in [true, false] {
                if isKilled { gateway.kill() } else { gateway.pause() }
                let before = try sluice.pushes("failed")
                try awaitTrue("two failures") { try sluice.pushes("failed") >= before + 2 }
                for _ in 0..<5 { #expect(try sluice.chat().status == 200) }
                if isKilled { try gateway.start() } else { gateway.resume() }
                try awaitTrue("the group again") {
                    try gateway.groups().count == 1 && sluice.metric(#"sluice_push_up{receiver="pushgateway"}"#) == 1
                }
            }
            func lines(_ message: String) -> Int { sluice.process.output.lines.all.count { $0.contains(message) } }
            try awaitTrue("two recoveries") { lines("telemetry receiver available again") == 2 }
            #expect(lines("telemetry receiver unavailable") == 2)
        }
    }

    @Test func `speaks TLS with certificates on both sides, and basic authentication`() throws {
        let certificates = Certificates.shared
        let web = """
            tls_server_config:
              cert_file: \(certificates.path("server.pem"))
              key_file: \(certificates.path("server.key"))
              client_ca_file: \(certificates.authority)
              client_auth_type: RequireAndVerifyClientCert
            """
        let gateway = try MonitoringProcess(.pushgateway, ["--web.config.file=DIR/web.yml"], files: ["web.yml": web])
        let upstream = try ScriptedUpstream()
        let tls =
            #"tls: {ca_file: "\#(certificates.authority)", client_certificate_file: "\#(certificates.path("client.pem"))", client_key_file: "\#(certificates.path("client.key"))"}"#
        let push = #"url: "https://localhost:\#(gateway.port)", \#(tls)"#
        try withSluice(configuration(upstream, push), upstream) { sluice in
            try awaitTrue("a push over TLS") { try sluice.pushes("accepted") >= 1 }
        }
        // Without a certificate of ours there is no connection.
        let bare = #"url: "https://localhost:\#(gateway.port)", tls: {ca_file: "\#(certificates.authority)"}"#
        let second = try ScriptedUpstream()
        try withSluice(configuration(second, bare), second) { sluice in
            try awaitTrue("a push that fails") { try sluice.pushes("failed") >= 1 }
            #expect(try sluice.pushes("accepted") == 0)
        }
    }
}

extension SluiceProcess {
    /// The value of a series of `/metrics`; zero if it is not there.
    func metric(_ series: String) throws -> Double {
        let lines = try health("/metrics").text.split(separator: "\n")
        return lines.first { $0.hasPrefix(series + " ") }.flatMap { Double($0.dropFirst(series.utf8.count + 1)) } ?? 0
    }

    /// Requests to receivers with this result.
    func pushes(_ result: String) throws -> Int {
        try health("/metrics").text.split(separator: "\n").filter {
            $0.hasPrefix("sluice_push_requests_total{") && $0.contains(#"result="\#(result)""#)
        }.reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) }
    }

    var hasBegunToEnd: Bool { process.output.lines.all.contains { $0.contains("\"draining\"") } }
}
