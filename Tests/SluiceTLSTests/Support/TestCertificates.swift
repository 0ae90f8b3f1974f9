import Foundation
import SluiceTLS

/// Certificates made with the `openssl` tool when the first test asks, in a directory that goes with the process.
final class TestCertificates: Sendable {
    static let shared = TestCertificates()

    let directory: String
    var authorities: String { directory + "/ca.pem" }
    var otherAuthorities: String { directory + "/other-ca.pem" }

    private init() {
        directory = NSTemporaryDirectory() + "sluice-tls-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: TestCertificates.shared.directory) }
        makeAuthority("ca", "Test Authority")
        makeAuthority("other-ca", "Other Authority")
        make("api", names: "DNS:api.example.com,DNS:alt.example.com")
        make("wildcard", names: "DNS:*.example.org")
        make("net", names: "DNS:b.example.net")
        make("address", names: "IP:127.0.0.1,IP:::1")
        make("expired", names: "DNS:api.example.com", "-days", "-1")
        make("foreign", names: "DNS:api.example.com", authority: "other-ca")
        make(
            "worker", names: "URI:spiffe://cluster.local/ns/app/sa/worker,email:worker@example.com,DNS:worker.local",
            "-set_serial", "0x1A2B")
        make("foreign-worker", names: "DNS:worker.local", authority: "other-ca")
        makeSelfSigned("self-signed", "api.example.com")
        makeIntermediate()
        run(["ec", "-in", path("api.key"), "-aes128", "-passout", "pass:secret", "-out", path("encrypted.key")])
        run([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path("rsa.key"), "-out", path("rsa.pem"),
            "-subj", "/CN=rsa", "-days", "3",
        ])
        try? FileManager.default.createDirectory(atPath: path("hashed"), withIntermediateDirectories: true)
        try? FileManager.default.copyItem(atPath: authorities, toPath: path("hashed/ca.pem"))
        run(["rehash", path("hashed")])
    }

    func path(_ name: String) -> String { directory + "/" + name }

    func identity(_ name: String) -> TLSIdentityFiles {
        TLSIdentityFiles(certificateFile: path(name + ".pem"), privateKeyFile: path(name + ".key"))
    }

    func write(_ name: String, _ text: String) -> String {
        try? text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }

    func copy(_ name: String, to copy: String) {
        for end in [".pem", ".key"] {
            try? FileManager.default.removeItem(atPath: path(copy + end))
            try? FileManager.default.copyItem(atPath: path(name + end), toPath: path(copy + end))
        }
    }

    private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    private func makeAuthority(_ name: String, _ commonName: String) {
        run(
            ["req", "-x509"] + Self.key + [
                "-keyout", path(name + ".key"), "-out", path(name + ".pem"), "-subj",
                "/CN=\(commonName)", "-days", "3",
            ])
    }

    private func makeSelfSigned(_ name: String, _ host: String) {
        run(
            ["req", "-x509"] + Self.key + [
                "-keyout", path(name + ".key"), "-out", path(name + ".pem"), "-subj",
                "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)", "-days", "3",
            ])
    }

    private func make(_ name: String, names: String, authority: String = "ca", _ options: String...) {
        run(
            ["req"] + Self.key + [
                "-keyout", path(name + ".key"), "-out", path(name + ".csr"), "-subj",
                "/CN=\(name)", "-addext", "subjectAltName=\(names)",
            ])
        let days = options.contains("-days") ? [] : ["-days", "3"]
        run(
            [
                "x509", "-req", "-in", path(name + ".csr"), "-CA", path(authority + ".pem"), "-CAkey",
                path(authority + ".key"), "-copy_extensions", "copyall", "-out", path(name + ".pem"),
            ] + days + options)
    }

    /// "chained": signed by an intermediate, which is in the file; "chainless": the same without it.
    private func makeIntermediate() {
        run(
            ["req"] + Self.key + [
                "-keyout", path("middle.key"), "-out", path("middle.csr"), "-subj",
                "/CN=Test Intermediate", "-addext", "basicConstraints=critical,CA:TRUE",
            ])
        run([
            "x509", "-req", "-in", path("middle.csr"), "-CA", authorities, "-CAkey", path("ca.key"), "-days", "3",
            "-copy_extensions", "copyall", "-out", path("middle.pem"),
        ])
        make("chainless", names: "DNS:api.example.com", authority: "middle")
        let leaf = (try? String(contentsOfFile: path("chainless.pem"), encoding: .utf8)) ?? ""
        let middle = (try? String(contentsOfFile: path("middle.pem"), encoding: .utf8)) ?? ""
        _ = write("chained.pem", leaf + middle)
        try? FileManager.default.copyItem(atPath: path("chainless.key"), toPath: path("chained.key"))
    }

    private func run(_ arguments: [String]) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        do { try process.run() } catch { fatalError("the openssl tool did not start: \(error)") }
        process.waitUntilExit()
        precondition(process.terminationStatus == 0, "openssl \(arguments.joined(separator: " ")) failed")
    }
}
