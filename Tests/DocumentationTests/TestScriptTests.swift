import Foundation
import Testing

@Suite struct `The script that runs the tests` {
    /// Runs it in a tree in which nothing is real but itself.
    private func run(_ tests: String) throws -> (status: Int32, output: String) {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-script-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in [
            (".sluice/setup", "exit 0"), (".sluice/test", try Repository.text(".sluice/test")), ("Tests/run", tests),
        ] {
            let file = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try (path == ".sluice/test" ? text : "#!/bin/bash\n\(text)\n").write(to: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        }
        let process = Process()
        let output = Pipe()
        process.executableURL = root.appendingPathComponent(".sluice/test")
        process.arguments = ["--only", "swift"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test func `says at its end what failed, and fails as it did`() throws {
        let (status, output) = try run(
            """
            echo "asked for $*"
            echo '✘ Test "a" recorded an issue at A.swift:1:1: Caught error: gone'
            echo 'FAILED Tests/SDK/test_a.py::test_b - AssertionError' >&2
            for number in {1..500}; do echo "✔ Test \\"$number\\" passed after 0.001 seconds."; done
            exit 3
            """)
        #expect(status == 3 && output.hasPrefix("asked for --only swift\n"))
        let end = output.components(separatedBy: "What failed:\n").last
        #expect(
            end == """
                ✘ Test "a" recorded an issue at A.swift:1:1: Caught error: gone
                FAILED Tests/SDK/test_a.py::test_b - AssertionError

                """)
    }

    @Test func `shows the last lines when nothing in them says what failed`() throws {
        let (status, output) = try run("for number in {1..99}; do echo \"line $number\"; done; kill -KILL $$")
        #expect(status == 137 && output.hasSuffix("What failed:\n" + (80...99).map { "line \($0)\n" }.joined()))
    }

    @Test func `adds nothing when nothing failed`() throws {
        let (status, output) = try run("echo 'error: one that was asked for'")
        #expect(status == 0 && output == "error: one that was asked for\n")
    }
}
