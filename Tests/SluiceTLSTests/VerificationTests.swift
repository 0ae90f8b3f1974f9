import Foundation
import SluiceCore
import SluiceTLS
import Testing

@Suite struct `Verifying an upstream` {
    @Test(arguments: [
        ("expired", TLSError.CertificateProblem.expired, TLSAlert.certificateExpired, "expired on 20"),
        ("foreign", .unknownAuthority, .unknownAuthority, "\"Other Authority\""),
        ("self-signed", .selfSigned, .unknownAuthority, "self-signed; to trust it, put it into ca_file"),
        ("chainless", .unknownAuthority, .unknownAuthority, "intermediate"),
        ("net", .wrongName, .badCertificate, "it is for b.example.net"),
    ])
    func `a bad certificate is refused and both sides say why`(
        certificate: String, problem: TLSError.CertificateProblem, alert: TLSAlert, words: String
    ) throws {
        for versions in [TLSVersions.tls12Only, .tls13Only] {
            let pair = try SessionPair(.listener(certificate), .cluster(versions: versions))
            pair.run()
            #expect(pair.upstreamError?.kind == .certificate(problem))
            #expect(pair.upstreamError?.message.contains(words) == true, "\(pair.upstreamError?.message ?? "")")
            #expect(pair.upstreamError?.message.contains("for api.example.com") == true)
            #expect(pair.downstreamError?.kind == .alert(alert))
            #expect(!pair.upstream.isEstablished && pair.upstream.peerCertificate == nil)
        }
    }

    @Test func `an authority that came along in the chain is not trusted for that`() throws {
        let certificates = TestCertificates.shared
        let leaf = ByteBuffer(try text(certificates.path("foreign.pem")))
        leaf.append(try text(certificates.otherAuthorities))
        _ = certificates.write("foreign-chain.pem", leaf.text)
        _ = certificates.write("foreign-chain.key", try text(certificates.path("foreign.key")))
        let pair = try SessionPair(.listener("foreign-chain"), .cluster())
        pair.run()
        #expect(pair.upstreamError?.kind == .certificate(.selfSigned))
        #expect(pair.upstreamError?.message.contains("self-signed certificate in chain") == true)
    }

    @Test func `the system's authorities do not know a private one`() throws {
        let pair = try SessionPair(.listener("api"), .cluster(trusting: nil))
        pair.run()
        #expect(pair.upstreamError?.kind == .certificate(.unknownAuthority))
    }

    @Test(arguments: ["chained", "api"]) func `a complete chain is accepted`(certificate: String) throws {
        let pair = try SessionPair(.listener(certificate), .cluster())
        pair.run()
        #expect(pair.upstream.isEstablished)
    }

    @Test func `a self-signed certificate and an intermediate are trusted as they stand in the file`() throws {
        for (served, trusted) in [("self-signed", "self-signed.pem"), ("chainless", "middle.pem")] {
            let authorities = TestCertificates.shared.path(trusted)
            let pair = try SessionPair(.listener(served), .cluster(trusting: authorities))
            pair.run()
            #expect(pair.upstream.isEstablished, "\(served)")
        }
    }

    @Test(arguments: ["127.0.0.1", "::1", "[::1]"]) func `an address is checked as an address`(host: String) throws {
        let pair = try SessionPair(.listener("address"), .cluster(), host: host)
        pair.run()
        #expect(pair.upstream.isEstablished)
        #expect(pair.downstream.negotiated?.serverName == nil)
        #expect(pair.upstream.peerCertificate?.ipAddresses == ["127.0.0.1", "::1"])
    }

    @Test func `another address is refused`() throws {
        let pair = try SessionPair(.listener("address"), .cluster(), host: "127.0.0.2")
        pair.run()
        #expect(pair.upstreamError?.kind == .certificate(.wrongName))
        #expect(pair.upstreamError?.message.contains("127.0.0.1") == true)
    }

    @Test func `a trailing dot and upper case do not change the name`() throws {
        let pair = try SessionPair(.listener("api"), .cluster(), host: "API.example.com.")
        pair.run()
        #expect(pair.downstream.negotiated?.serverName == "api.example.com")
        #expect(pair.upstream.isEstablished)
    }

    @Test(arguments: ["", ".", "a b", "a/b", "ex\u{0}ample.com", String(repeating: "a", count: 256)])
    func `what is no host name cannot be dialled`(host: String) throws {
        let context = try TLSContext.cluster()
        #expect { try TLSSession(upstream: context, host: host, port: 443) } throws: {
            ($0 as? TLSError)?.kind == .configuration
        }
    }
}

@Suite struct `Client certificates` {
    private let authorities = TestCertificates.shared.authorities

    @Test(arguments: [TLSVersions.tls12Only, .tls13Only])
    func `a good one identifies the client`(versions: TLSVersions) throws {
        let pair = try SessionPair(
            .listener("api", clients: .required(authoritiesFile: authorities)),
            .cluster(as: "worker", versions: versions))
        pair.run()
        let certificate = try #require(pair.downstream.peerCertificate)
        #expect(certificate.commonName == "worker")
        #expect(certificate.issuerCommonName == "Test Authority")
        #expect(certificate.uris == ["spiffe://cluster.local/ns/app/sa/worker"])
        #expect(certificate.emails == ["worker@example.com"])
        #expect(certificate.dnsNames == ["worker.local"])
        #expect(certificate.serialNumber == "1A2B")
        #expect(certificate.notAfter - certificate.notBefore == 3 * 86_400)
        let loaded = try TLSContext.cluster(as: "worker").certificates[0].summary
        #expect(certificate.fingerprint == loaded.fingerprint && certificate.fingerprint.count == 32)
    }

    @Test func `an optional one may be missing`() throws {
        let pair = try SessionPair(.listener("api", clients: .optional(authoritiesFile: authorities)), .cluster())
        pair.run()
        #expect(pair.downstream.isEstablished && pair.downstream.peerCertificate == nil)
    }

    @Test func `an optional one must be good if it is there`() throws {
        let pair = try SessionPair(
            .listener("api", clients: .optional(authoritiesFile: authorities)), .cluster(as: "foreign-worker"))
        pair.run()
        #expect(pair.downstreamError?.kind == .certificate(.unknownAuthority))
        #expect(pair.downstreamError?.message.contains("the client") == true)
        #expect(pair.upstreamError?.kind == .alert(.unknownAuthority))
    }

    @Test func `a required one that is missing is asked for by an alert`() throws {
        let cases = [(TLSVersions.tls12Only, TLSAlert.handshakeFailure), (.tls13Only, .certificateRequired)]
        for (versions, alert) in cases {
            let pair = try SessionPair(
                .listener("api", clients: .required(authoritiesFile: authorities)), .cluster(versions: versions))
            pair.run()
            #expect(pair.downstreamError?.kind == .certificateMissing)
            #expect(pair.upstreamError?.kind == .alert(alert))
            #expect(pair.upstreamError?.message.contains("client certificate") == true)
        }
    }
}

private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
