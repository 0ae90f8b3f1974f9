import Foundation
import Glibc
import TestSupport

/// A real Prometheus or Pushgateway (`Tests/tools` fetches them) on a free port of 127.0.0.1, which a test kills and stops as it
/// likes. What it writes goes with it.
final class MonitoringProcess {
    enum Program: String { case prometheus, pushgateway }

    struct Missing: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path) is not there: run .sluice/setup --tests" }
    }

    private(set) var port: UInt16
    private let program: Program
    private let directory: String
    private let more: [String]
    private var process: ChildProcess?

    /// Starts it and waits until it is ready.
    ///
    /// - Parameters:
    ///   - arguments: beside address and directory.
    ///   - files: by their names, in its directory; `DIR` in arguments stands for that.
    init(_ program: Program, _ arguments: [String] = [], files: [String: String] = [:]) throws {
        self.program = program
        port = FreePort.next()
        directory = NSTemporaryDirectory() + "sluice-\(program.rawValue)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var files = files
        if program == .prometheus, files["prometheus.yml"] == nil { files["prometheus.yml"] = "scrape_configs: []\n" }
        for (name, text) in files { try text.write(toFile: directory + "/" + name, atomically: true, encoding: .utf8) }
        more = arguments.map { [directory] in $0.replacingOccurrences(of: "DIR", with: directory) }
        // A free port may have gone to somebody else in the meantime.
        var attempts = 0
        while true {
            do {
                try start()
                break
            } catch let error as EndedAtOnce {
                attempts += 1
                if attempts == 3 { throw error }
                port = FreePort.next()
            }
        }
    }

    struct EndedAtOnce: Error { let report: String }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    static func path(_ program: String) -> String {
        URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/").dropFirst()
            + "/.build/tools/bin/\(program)"
    }

    private var arguments: [String] {
        switch program {
        case .pushgateway: ["--web.listen-address=127.0.0.1:\(port)", "--log.level=error"]
        case .prometheus:
            [
                "--web.listen-address=127.0.0.1:\(port)", "--log.level=error", "--config.file=\(directory)/prometheus.yml",
                "--storage.tsdb.path=\(directory)/data", "--web.enable-remote-write-receiver",
            ]
        }
    }

    /// Starts it, again after `kill()`, on the same port; a Pushgateway then has nothing in it.
    func start() throws {
        let path = Self.path(program.rawValue)
        guard FileManager.default.isExecutableFile(atPath: path) else { throw Missing(path: path) }
        let fresh = try ChildProcess(path, arguments + more, environment: ["PATH": "/usr/bin:/bin", "GOMAXPROCS": "1"])
        process = fresh
        try awaitTrue("\(program) to be ready") {
            if !fresh.isRunning { throw EndedAtOnce(report: try fresh.errors.text()) }
            guard let wire = try? Wire(port: port) else { return false }
            // One that speaks TLS, or wants a password, says so.
            guard let reply = try? wire.exchange("GET", "/-/ready") else { return false }
            return [200, 400, 401].contains(reply.status)
        }
    }

    /// Stops it as a debugger does: connections stay, nothing is answered.
    func pause() { process?.signal(SIGSTOP) }
    func resume() { process?.signal(SIGCONT) }

    /// Ends it without a farewell, and waits for that.
    func kill() {
        process?.signal(SIGKILL)
        _ = try? process?.exitStatus()
        process = nil
    }

    func get(_ target: String) throws -> HTTPMessage { try Wire(port: port).exchange("GET", target) }

    // MARK: Of a Pushgateway

    /// Its groups, by what their labels say.
    func groups() throws -> [JSON] { try get("/api/v1/metrics").json["data"].array.map { $0["labels"] } }

    // MARK: Of Prometheus

    /// The value of each series that a query finds, by what the label says.
    func query(_ query: String, by label: String = "instance") throws -> [String: Double] {
        let allowed = CharacterSet.alphanumerics
        let text = query.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        let reply = try get("/api/v1/query?query=\(text)")
        guard reply.json["status"].string == "success" else { throw TimedOut("an answer to \(query): \(reply.text)") }
        let found = reply.json["data"]["result"].array.map { series in
            (series["metric"][label].string ?? "", series["value"][1].string.flatMap { Double($0) } ?? .nan)
        }
        return Dictionary(found) { first, _ in first }
    }
}
