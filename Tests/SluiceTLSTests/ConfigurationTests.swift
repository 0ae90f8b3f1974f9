import Foundation
import SluiceCore
import SluiceTLS
import Testing

@Suite struct `TLS files` {
    private let files = TestCertificates.shared

    private func failure(certificate: String, key: String) -> TLSError? {
        let identity = TLSIdentityFiles(certificateFile: certificate, privateKeyFile: key)
        do throws(TLSError) {
            _ = try TLSContext(downstream: DownstreamTLSConfiguration(identities: [identity]))
            return nil
        } catch { return error }
    }

    @Test func `each mistake names the file and what is wrong with it`() {
        let text = files.write("notes.txt", "hello")
        let torn = files.write("torn.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
        let tornKey = files.write("torn.key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n")
        let api = files.path("api.pem")
        let key = files.path("api.key")
        let cases: [(String, String, String, String)] = [
            (files.path("absent.pem"), key, "absent.pem", "No such file"),
            (files.directory, key, files.directory, "Is a directory"),
            (text, key, "notes.txt", "not PEM"),
            (key, key, "api.key", "PEM blocks of another kind"),
            (torn, key, "torn.pem", "certificate 1 cannot be read"),
            (api, files.path("absent.key"), "absent.key", "No such file"),
            (api, text, "notes.txt", "not PEM"),
            (api, api, "api.pem", "PEM blocks of another kind"),
            (api, tornKey, "torn.key", "private key cannot be read"),
            (api, files.path("encrypted.key"), "encrypted.key", "passphrase"),
            (api, files.path("net.key"), "net.key", "does not belong"),
            (api, files.path("rsa.key"), "rsa.key", "does not belong"),
        ]
        for (certificate, key, name, words) in cases {
            let error = failure(certificate: certificate, key: key)
            #expect(error?.kind == .configuration, "\(name)")
            #expect(error?.message.contains(name) == true, "\(error?.message ?? name)")
            #expect(error?.message.contains(words) == true, "\(error?.message ?? name)")
        }
    }

    @Test func `a chain before its leaf is explained`() throws {
        let leaf = try String(contentsOfFile: files.path("chainless.pem"), encoding: .utf8)
        let middle = try String(contentsOfFile: files.path("middle.pem"), encoding: .utf8)
        let reversed = files.write("reversed.pem", middle + leaf)
        let error = failure(certificate: reversed, key: files.path("chained.key"))
        #expect(error?.message.contains("(Test Intermediate)") == true)
    }

    @Test func `an unreadable authorities file is an error for both roles`() {
        let absent = files.path("absent-ca.pem")
        #expect { try TLSContext.cluster(trusting: absent) } throws: { "\($0)".contains("absent-ca.pem") }
        #expect { try TLSContext.listener("api", clients: .required(authoritiesFile: absent)) } throws: {
            "\($0)".contains("absent-ca.pem")
        }
    }

    @Test func `a file without end is not read to its end`() {
        let error = failure(certificate: "/dev/zero", key: files.path("api.key"))
        #expect(error?.kind == .configuration)
    }

    @Test func `a listener without a certificate is an error`() {
        #expect { try TLSContext(downstream: DownstreamTLSConfiguration(identities: [])) } throws: {
            ($0 as? TLSError)?.kind == .configuration
        }
    }

    @Test func `an expired certificate is a warning that says when`() throws {
        let context = try TLSContext.listener("expired")
        #expect(context.warnings.count == 1)
        #expect(context.warnings.first?.contains("expired.pem: the certificate expired on 20") == true)
        #expect(try TLSContext.listener("api").warnings.isEmpty)
    }

    @Test func `rsa and one file for both are fine`() throws {
        let both = files.write(
            "both.pem",
            try String(contentsOfFile: files.path("rsa.key"), encoding: .utf8)
                + String(contentsOfFile: files.path("rsa.pem"), encoding: .utf8))
        #expect(failure(certificate: both, key: both) == nil)
    }
}

@Suite struct `A reloadable certificate` {
    private let files = TestCertificates.shared

    private func store(_ name: String) throws -> CertificateStore {
        files.copy("api", to: name)
        return try CertificateStore(DownstreamTLSConfiguration(identities: [files.identity(name)]))
    }

    private func served(_ store: CertificateStore, _ cluster: TLSContext, host: String) throws -> String? {
        let pair = try SessionPair(store.current, cluster, host: host)
        pair.run()
        return pair.upstream.peerCertificate?.commonName
    }

    @Test func `is exchanged when the files change and only then`() throws {
        let store = try store("exchanged")
        let cluster = try TLSContext.cluster()
        let before = store.current
        let old = try SessionPair(before, cluster)
        old.run()
        #expect(try store.reload() == .unchanged)
        #expect(store.current === before)
        files.copy("net", to: "exchanged")
        #expect(try store.reload() == .replaced)
        #expect(try served(store, cluster, host: "b.example.net") == "net")
        try old.upstream.send("still works".utf8Span.span)
        old.run()
        #expect(old.atDownstream.text == "still works")
        #expect(try store.reload(always: true) == .replaced)
    }

    @Test func `stays when the new files are no good`() throws {
        let store = try store("spoiled")
        let before = store.current
        _ = files.write("spoiled.key", try String(contentsOfFile: files.path("net.key"), encoding: .utf8))
        #expect { try store.reload() } throws: { "\($0)".contains("does not belong") }
        _ = files.write("spoiled.pem", "")
        #expect { try store.reload() } throws: { "\($0)".contains("spoiled.pem") }
        #expect(store.current === before)
        #expect(try served(store, .cluster(), host: "api.example.com") == "api")
    }

    @Test func `tells when its certificates end`() throws {
        let certificate = try #require(try store("ending").current.certificates.first)
        let now = Int64(Date().timeIntervalSince1970)
        #expect(certificate.file.hasSuffix("ending.pem"))
        #expect(abs(certificate.summary.notAfter - now - 3 * 86_400) < 600)
    }

    @Test func `may be exchanged while other threads make connections`() async throws {
        let store = try store("busy")
        let cluster = try TLSContext.cluster()
        let finished = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask { @concurrent in
                    var connected = 0
                    for _ in 0..<15 {
                        if try served(store, cluster, host: "api.example.com") == "api" { connected += 1 }
                    }
                    return connected
                }
            }
            group.addTask { @concurrent in
                for _ in 0..<15 { try store.reload(always: true) }
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(finished == 45)
    }
}
