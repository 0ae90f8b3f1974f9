import Testing

@testable import SluiceTLS

@Suite struct `The system's authorities` {
    private let files = TestCertificates.shared

    private func connect(_ certificate: String, _ store: TrustStore) throws -> SessionPair {
        let cluster = try TLSContext(upstream: UpstreamTLSConfiguration(), system: .success(store))
        let pair = try SessionPair(.listener(certificate), cluster)
        pair.run()
        return pair
    }

    @Test(arguments: [("hashed", "absent.pem"), ("absent", "ca.pem"), ("hashed", "other-ca.pem")])
    func `are found in the directory or the bundle`(directory: String, bundle: String) throws {
        let store = try TrustStore(directory: files.path(directory), bundle: files.path(bundle))
        for _ in 0..<3 {
            #expect(try connect("api", store).upstream.isEstablished)
            #expect(try connect("chained", store).upstream.isEstablished)
        }
    }

    @Test func `are looked for in both`() throws {
        let store = try TrustStore(directory: files.path("hashed"), bundle: files.otherAuthorities)
        #expect(try connect("foreign", store).upstream.isEstablished)
        #expect(try connect("api", store).upstream.isEstablished)
        #expect(try connect("foreign", store).upstream.isEstablished)
    }

    @Test func `are all there are`() throws {
        let store = try TrustStore(directory: files.path("hashed"), bundle: files.path("absent.pem"))
        for _ in 0..<2 {
            #expect(try connect("foreign", store).upstreamError?.kind == .certificate(.unknownAuthority))
            #expect(try connect("self-signed", store).upstreamError?.kind == .certificate(.selfSigned))
        }
    }

    @Test func `of this machine can be opened`() throws {
        #expect(!TrustStore.systemDirectory.isEmpty && !TrustStore.systemBundle.isEmpty)
        let context = try TLSContext(upstream: UpstreamTLSConfiguration())
        #expect(context.warnings.isEmpty == !TrustStore.systemIsMissing)
    }
}
