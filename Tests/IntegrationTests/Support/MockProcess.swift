import Foundation
import Glibc

/// `sluice mock`, the provider that does what the model's name says.
final class MockProcess {
    private let process: ChildProcess
    let port: UInt16

    init(_ arguments: [String] = []) throws {
        process = try ChildProcess(
            SluiceProcess.binary, ["mock", "--listen", "127.0.0.1:0"] + arguments,
            environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"])
        let line = try process.output.lines.first("the mock's address") { $0.contains("http://127.0.0.1:") }
        let digits = line.components(separatedBy: "http://127.0.0.1:").last?.prefix { $0.isNumber } ?? ""
        guard let port = UInt16(digits) else { throw TimedOut("a port in \(line)") }
        self.port = port
    }

    func stop() {
        process.signal(SIGTERM)
        _ = try? process.exitStatus()
    }
}
