import Foundation

/// A command of `sluice` that runs to its end.
enum SluiceTool {
    /// - Parameter input: what is on its standard input.
    static func run(_ arguments: [String], input: String = "") throws -> Tool.Outcome {
        let file = NSTemporaryDirectory() + "sluice-input-\(UUID().uuidString)"
        try input.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let process = try ChildProcess(
            "/bin/sh", ["-c", #"input="$0"; exec "$@" < "$input""#, file, SluiceProcess.binary] + arguments,
            environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"])
        let status = try process.exitStatus()
        return Tool.Outcome(status: status, output: try process.output.text(), errors: try process.errors.text())
    }
}

/// A directory with master keys, outside of what Sluice writes to.
final class KeyDirectory {
    let path = NSTemporaryDirectory() + "sluice-keys-\(UUID().uuidString)"
    var file: String { path + "/master" }

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        _ = try SluiceTool.run(["secret", "generate", file])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var lines: [String] {
        get throws { try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init) }
    }

    func write(_ lines: [String]) throws {
        // As a ConfigMap or a Secret does it: another file takes the name.
        let fresh = file + ".new"
        let isWritten = FileManager.default.createFile(
            atPath: fresh, contents: Data((lines.joined(separator: "\n") + "\n").utf8),
            attributes: [.posixPermissions: 0o600])
        if unsafe !isWritten || rename(fresh, file) != 0 { throw TimedOut("a renamed key file") }
    }

    func seal(_ secret: String, for setting: String) throws -> String {
        let outcome = try SluiceTool.run(
            ["secret", "encrypt", "--key-file", file, "--for", setting], input: secret)
        return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
