import Foundation
import Glibc
import Testing

/// The real program, started for one test.
///
/// `@unchecked Sendable`: what changes does so before anybody else has it.
final class SluiceProcess: @unchecked Sendable {
    let process: ChildProcess
    let configurationFile: String
    private(set) var ports: [UInt16] = []
    private(set) var adminPort: UInt16 = 0
    private let directory: String

    /// Where the program is: beside the tests, unless `SLUICE_BINARY` says otherwise.
    static var binary: String {
        if let path = ProcessInfo.processInfo.environment["SLUICE_BINARY"] { return path }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (tests as NSString).deletingLastPathComponent + "/sluice"
    }

    /// Whether the program was built without optimisation.
    static var isDebugBuild: Bool { binary.contains("/debug/") }

    /// Starts the program and waits until it is ready.
    convenience init(
        _ configuration: Configuration, arguments: [String] = [], environment: [String: String] = [:],
        inherited: Int32? = nil, descriptorsMax: Int? = nil
    ) throws {
        try self.init(
            text: configuration.text, arguments: arguments, environment: environment, inherited: inherited,
            descriptorsMax: descriptorsMax)
    }

    /// - Parameter descriptorsMax: how many files and sockets the program may have open at once.
    init(
        text: String, arguments: [String] = [], environment: [String: String] = [:], inherited: Int32? = nil,
        descriptorsMax: Int? = nil
    ) throws {
        directory = NSTemporaryDirectory() + "sluice-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        configurationFile = directory + "/sluice.json5"
        try text.write(toFile: configurationFile, atomically: true, encoding: .utf8)
        var variables = ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]
        variables.merge(environment) { $1 }
        var program = Self.binary
        var words = ["run", "--config", configurationFile] + arguments
        if inherited != nil {
            // Only the program itself knows its process id in time (sd_listen_fds(3)).
            words = ["-c", #"LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@""#, program] + words
            program = "/bin/sh"
        }
        if let descriptorsMax {
            words = ["-c", #"ulimit -n \#(descriptorsMax); exec "$0" "$@""#, program] + words
            program = "/bin/sh"
        }
        process = try ChildProcess(program, words, environment: variables, inherited: inherited)
        try awaitReadiness()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func awaitReadiness() throws {
        let patience = Patience.deadline
        while true {
            let lines = process.output.lines.all
            if let line = lines.first(where: { $0.contains("  admin  ") }) {
                ports = lines.filter { $0.contains("  listening  ") }.compactMap(Self.port)
                adminPort = Self.port(line) ?? 0
                break
            }
            if !process.isRunning { throw NotReady(try process.output.text() + process.errors.text()) }
            if .now > patience { throw NotReady(try report()) }
            usleep(2000)
        }
        while try health("/readyz").status != 200 { if .now > patience { throw NotReady(try report()) } }
    }

    struct NotReady: Error, CustomStringConvertible {
        let description: String
        init(_ report: String) { description = "sluice did not become ready:\n" + report }
    }

    /// The port in a line of the banner.
    private static func port(_ line: String) -> UInt16? {
        guard let colon = line.lastIndex(of: ":") else { return nil }
        return UInt16(line[colon...].dropFirst().prefix { $0.isNumber })
    }

    func report() throws -> String { (process.output.lines.all + process.errors.lines.all).joined(separator: "\n") }

    // MARK: Talking

    /// A new connection to the first listener.
    func connect() throws -> Wire { try Wire(port: ports[0]) }

    /// A request on a connection of its own.
    func exchange(
        _ method: String = "POST", _ target: String, _ fields: [String] = [], _ body: String? = nil
    ) throws -> HTTPMessage {
        try connect().exchange(method, target, fields, body)
    }

    func chat(_ body: String = Sample.chat, _ fields: [String] = []) throws -> HTTPMessage {
        try connect().chat(body, fields)
    }

    /// Asks for a stream on a connection of its own, and reads its head.
    func stream(_ body: String = Sample.streamedChat, _ fields: [String] = []) throws -> ResponseStream {
        let wire = try connect()
        try wire.ask("POST", "/v1/chat/completions", fields, body)
        return try ResponseStream(wire)
    }

    func health(_ path: String = "/health") throws -> HTTPMessage {
        let wire = try Wire(port: adminPort)
        try wire.send("GET \(path) HTTP/1.1\r\nhost: localhost\r\n\r\n")
        return try wire.readResponse()
    }

    /// Waits until no exchange is in flight and no application connected any more.
    func awaitQuiet() throws {
        let deadline = Patience.deadline
        while true {
            let report = try health().json
            if report["in_flight"].int == 0, report["connections"].int == 0 { return }
            if .now > deadline { throw TimedOut("the end of all exchanges: \(report)") }
            usleep(20_000)
        }
    }

    /// Waits until no exchange is in flight; connections may stay.
    func awaitNothingInFlight() throws {
        let deadline = Patience.deadline
        while try health().json["in_flight"].int != 0 {
            if .now > deadline { throw TimedOut("the end of all exchanges") }
            usleep(5000)
        }
    }

    func signal(_ number: Int32) { process.signal(number) }

    func rewriteConfiguration(_ text: String) throws {
        // As an editor does it, and a ConfigMap: another file takes the name.
        try text.write(toFile: configurationFile, atomically: true, encoding: .utf8)
    }

    /// A file beside the configuration.
    func path(_ name: String) -> String { directory + "/" + name }

    // MARK: Log

    /// Waits for a line of the log.
    @discardableResult
    func line(_ what: String, where matches: @Sendable (JSON) -> Bool) throws -> JSON {
        JSON(try process.output.lines.first("a log line: \(what)") { $0.hasPrefix("{") && matches(JSON($0)) })
    }

    /// The line of an exchange.
    func exchangeLine(_ requestID: String) throws -> JSON {
        try line("exchange \(requestID)") {
            $0["message"].string == "exchange" && $0["http.request.id"].string == requestID
        }
    }

    func exchangeLines() -> [JSON] {
        process.output.lines.all.filter { $0.hasPrefix("{") }.map { JSON($0) }.filter {
            $0["message"].string == "exchange"
        }
    }

    var residentByteCount: Int { Self.residentByteCount(of: process.pid) }

    /// Without the pages of the program's own file, which are read in as its code is first run (proc(5), `statm`).
    static func residentByteCount(of pid: pid_t) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").compactMap { Int($0) }
        return pages.count < 3 ? 0 : (pages[1] - pages[2]) * 4096
    }

    var descriptorCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd").count) ?? 0
    }

    /// User and system time so far.
    var processorTime: Duration {
        let text = (try? String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)) ?? ""
        let fields = text.components(separatedBy: ") ").last?.split(separator: " ") ?? []
        guard fields.count > 13, let user = Int64(fields[11]), let system = Int64(fields[12]) else { return .zero }
        return .milliseconds((user + system) * 1000 / Int64(sysconf(Int32(_SC_CLK_TCK))))
    }

    // MARK: End

    /// Ends the program as a supervisor does, unless it has ended, and checks what holds for every test: that it did
    /// not crash, that its log is JSON, and that no secret is in what it wrote.
    func end(expecting status: Int32 = 0) throws {
        signal(SIGTERM)
        let found = try process.exitStatus()
        let output = try process.output.text()
        let errors = try process.errors.text()
        #expect(found == status, "the program ended with \(found)\n\(errors)")
        #expect(
            !output.contains(Secrets.mark) && !errors.contains(Secrets.mark),
            "a secret was written:\n\(output)\n\(errors)")
        for line in output.split(separator: "\n") where line.hasPrefix("{") {
            #expect(JSON(line).isValid, "no JSON: \(line)")
        }
    }
}

/// Runs `body` against a Sluice of its own, which must end without a fault.
func withSluice(
    _ configuration: Configuration, _ upstreams: ScriptedUpstream..., arguments: [String] = [],
    environment: [String: String] = [:], _ body: (SluiceProcess) throws -> Void
) throws {
    defer { for upstream in upstreams { upstream.stop() } }
    let sluice = try SluiceProcess(configuration, arguments: arguments, environment: environment)
    do {
        try body(sluice)
    } catch {
        Issue.record("\(error)\n\(try sluice.report())")
    }
    try sluice.end()
}
