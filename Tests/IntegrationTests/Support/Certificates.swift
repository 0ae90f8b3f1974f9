import Foundation

/// Certificates made with the `openssl` tool when the first test asks, in a directory that goes with the process.
///
/// - `server`: for localhost and 127.0.0.1; `server2`: the same from another authority; `other`: for api.example.com;
///   `expired`: for localhost, yesterday; `client`: for a client; `stranger`: for a client, from another authority.
final class Certificates: Sendable {
    static let shared = Certificates()

    private let directory: String
    var authority: String { path("ca.pem") }
    var otherAuthority: String { path("ca2.pem") }

    private init() {
        directory = NSTemporaryDirectory() + "sluice-certificates-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: Certificates.shared.directory) }
        for name in ["ca", "ca2"] {
            run(["req", "-x509", "-keyout", path(name + ".key"), "-out", path(name + ".pem"), "-subj", "/CN=\(name)", "-days", "3"] + Self.key)
        }
        make("server", "DNS:localhost,IP:127.0.0.1")
        make("server2", "DNS:localhost,IP:127.0.0.1", authority: "ca2")
        make("other", "DNS:api.example.com")
        make("expired", "DNS:localhost,IP:127.0.0.1", days: "-1")
        make("client", "DNS:client.example.com")
        make("stranger", "DNS:client.example.com", authority: "ca2")
    }

    func path(_ name: String) -> String { directory + "/" + name }

    /// The members of a listener's certificate.
    func listed(_ name: String) -> String {
        #"{certificate_file: "\#(path(name + ".pem"))", key_file: "\#(path(name + ".key"))"}"#
    }

    private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    private func make(_ name: String, _ names: String, authority: String = "ca", days: String = "3") {
        let request = path(name + ".csr")
        run(
            ["req", "-keyout", path(name + ".key"), "-out", request, "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(names)"]
                + Self.key)
        run([
            "x509", "-req", "-in", request, "-CA", path(authority + ".pem"), "-CAkey", path(authority + ".key"),
            "-copy_extensions", "copyall", "-days", days, "-out", path(name + ".pem"),
        ])
    }

    private func run(_ arguments: [String]) {
        guard let outcome = try? Tool.run("openssl", arguments), outcome.status == 0 else {
            preconditionFailure("openssl \(arguments.joined(separator: " ")) failed")
        }
    }
}
