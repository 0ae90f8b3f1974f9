import SluiceCore
import SluiceTLS
import Testing

@Suite struct `TLS session resumption` {
    private func connect(
        _ listener: TLSContext, _ cluster: TLSContext, host: String = "api.example.com"
    ) throws -> SessionPair {
        let pair = try SessionPair(listener, cluster, host: host)
        pair.run()
        return pair
    }

    @Test(arguments: [TLSVersions.tls12Only, .tls13Only])
    func `later connections resume, with the identity of the first`(versions: TLSVersions) throws {
        let authorities = TestCertificates.shared.authorities
        let listener = try TLSContext.listener("api", clients: .required(authoritiesFile: authorities))
        let cluster = try TLSContext.cluster(as: "worker", versions: versions)
        #expect(try connect(listener, cluster).upstream.negotiated?.isResumed == false)
        for _ in 0..<6 {
            let pair = try connect(listener, cluster)
            #expect(pair.upstream.negotiated?.isResumed == true)
            #expect(pair.downstream.negotiated?.isResumed == true)
            #expect(pair.downstream.peerCertificate?.commonName == "worker")
            #expect(pair.upstream.peerCertificate?.commonName == "api")
        }
    }

    @Test func `many connections opened at once all resume`() throws {
        let listener = try TLSContext.listener("api")
        let cluster = try TLSContext.cluster()
        _ = try connect(listener, cluster)
        let pairs = try (0..<8).map { _ in try SessionPair(listener, cluster) }
        for pair in pairs { pair.run() }
        #expect(pairs.allSatisfy { $0.upstream.negotiated?.isResumed == true })
    }

    @Test func `a session is not used for another name, and the new certificate is checked`() throws {
        let listener = try TLSContext.listener("api")
        let cluster = try TLSContext.cluster()
        _ = try connect(listener, cluster)
        #expect(try connect(listener, cluster, host: "alt.example.com").upstream.negotiated?.isResumed == false)
        #expect(try connect(listener, cluster, host: "other.test").upstreamError?.kind == .certificate(.wrongName))
    }

    @Test func `a listener that forgot the session makes a full handshake`() throws {
        let cluster = try TLSContext.cluster()
        _ = try connect(.listener("api"), cluster)
        let pair = try connect(.listener("api"), cluster)
        #expect(pair.upstream.negotiated?.isResumed == false)
        #expect(pair.upstreamError == nil)
    }

    @Test func `no session is kept when none may be`() throws {
        let listener = try TLSContext.listener("api")
        let cluster = try TLSContext.cluster(sessions: 0)
        _ = try connect(listener, cluster)
        #expect(try connect(listener, cluster).upstream.negotiated?.isResumed == false)
    }

    @Test func `a certificate chosen by name resumes too`() throws {
        let listener = try TLSContext.listener("api", "net")
        let cluster = try TLSContext.cluster()
        _ = try connect(listener, cluster, host: "b.example.net")
        let pair = try connect(listener, cluster, host: "b.example.net")
        #expect(pair.upstream.negotiated?.isResumed == true)
        #expect(pair.downstream.negotiated?.serverName == "b.example.net")
    }
}
