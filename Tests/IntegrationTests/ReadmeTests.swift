import Foundation
import Testing

/// The commands that the README shows, with other ports.
@Suite struct `The README` {
    @Test(arguments: ["README.md", "Sources/SluiceServer/Documentation.docc/README-zh.md"])
    func `moves one application across platforms in three commands`(path: String) throws {
        let commands = try Self.demonstration(path)
        try #require(commands.count == 3)
        #expect(commands[0] == ".sluice/run mock")
        let mock = try MockProcess()
        defer { mock.stop() }
        let start = commands[1].replacingOccurrences(of: "127.0.0.1:4020", with: "127.0.0.1:\(mock.port)")
            .replacingOccurrences(
                of: ".sluice/run",
                with: "exec \(SluiceProcess.binary) run --listen 127.0.0.1:0 --admin 127.0.0.1:0 --workers 1")
        let sluice = try ChildProcess(
            "/bin/sh", ["-c", start], environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"])
        defer {
            sluice.signal(SIGINT)
            _ = try? sluice.exitStatus()
        }
        let line = try sluice.output.lines.first("the address") { $0.contains("  listening  ") }
        try sluice.output.lines.first("readiness") { $0.contains(#""message":"ready""#) }
        let port = line.components(separatedBy: ":").last ?? ""
        let curl = try ChildProcess(
            "/bin/sh", ["-c", commands[2].replacingOccurrences(of: "4010", with: port)],
            environment: ["PATH": "/usr/bin:/bin"])
        #expect(try curl.exitStatus() == 0)
        let answers = try curl.output.text().split(separator: "\n")
        #expect(answers.count == 4, "\(answers)")
        for answer in answers {
            #expect(
                answer.contains(#""object":"chat.completion""#) && answer.contains(#""finish_reason":"stop""#),
                "\(answer)")
        }
    }

    /// The shell blocks of the last third-level section before the configuration file.
    private static func demonstration(_ path: String) throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        let section = text.components(separatedBy: "\n### ").last?.components(separatedBy: "\n## ").first ?? ""
        return section.components(separatedBy: "```sh\n").dropFirst().map {
            ($0.components(separatedBy: "\n```").first ?? "")
        }
    }
}
