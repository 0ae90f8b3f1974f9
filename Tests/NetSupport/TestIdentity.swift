internal import Foundation

/// A certificate authority and a certificate for `127.0.0.1` and `localhost`, made with the `openssl` tool when first asked for.
package final class TestIdentity: Sendable {
    package static let shared = TestIdentity()

    package let authority: String
    package let certificate: String
    package let key: String
    private let directory: String

    private init() {
        directory = NSTemporaryDirectory() + "sluice-net-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        authority = directory + "/ca.pem"
        certificate = directory + "/server.pem"
        key = directory + "/server.key"
        atexit { try? FileManager.default.removeItem(atPath: TestIdentity.shared.directory) }
        let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        Self.run(
            ["req", "-x509"] + newKey + [
                "-keyout", directory + "/ca.key", "-out", authority, "-subj", "/CN=Test Authority",
            ])
        Self.run(
            ["req", "-x509"] + newKey + [
                "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1", "-CA", authority, "-CAkey", directory + "/ca.key",
            ])
    }

    private static func run(_ arguments: [String]) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
    }
}
