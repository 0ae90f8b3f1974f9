import SluiceCore
import SluiceTLS
import Testing

@Suite struct `TLS handshakes` {
    @Test(arguments: [
        (TLSVersions.tls12Only, TLSNegotiated.Version.tls12), (.tls13Only, .tls13), (.tls12AndLater, .tls13),
    ])
    func `both versions connect, and 1.3 is preferred`(offer: TLSVersions, expected: TLSNegotiated.Version) throws {
        let pair = try SessionPair(.listener("api"), .cluster(versions: offer))
        pair.run()
        let negotiated = try #require(pair.upstream.negotiated)
        #expect(negotiated.version == expected)
        #expect(pair.downstream.negotiated?.version == expected)
        #expect(pair.downstream.negotiated?.serverName == "api.example.com")
        #expect(negotiated.cipher.contains("GCM"))
        #expect(!negotiated.isResumed)
        #expect(pair.handshakesReported == 2)
        #expect(pair.downstreamError == nil && pair.upstreamError == nil)
    }

    @Test(arguments: [
        ([ApplicationProtocol.http2, .http1], [ApplicationProtocol.http1, .http2], ApplicationProtocol.http2),
        ([.http1, .http2], [.http2, .http1], .http1),
        ([.http2, .http1], [.http1], .http1),
        ([.http2], [], .none),
        ([], [.http2], .none),
    ])
    func `the application protocol is the listener's first that is offered`(
        served: [ApplicationProtocol], offered: [ApplicationProtocol], chosen: ApplicationProtocol
    ) throws {
        let pair = try SessionPair(.listener("api", speaking: served), .cluster(offering: offered))
        pair.run()
        #expect(pair.upstream.negotiated?.applicationProtocol == chosen)
        #expect(pair.downstream.negotiated?.applicationProtocol == chosen)
    }

    @Test func `a client that offers only other protocols is told so`() throws {
        let pair = try SessionPair(.listener("api", speaking: [.http2]), .cluster(offering: [.http1]))
        pair.run()
        #expect(pair.downstreamError?.kind == .negotiation)
        #expect(pair.upstreamError?.kind == .alert(.noApplicationProtocol))
    }

    @Test func `versions without overlap end in an error on both sides`() throws {
        let pair = try SessionPair(.listener("api", versions: .tls13Only), .cluster(versions: .tls12Only))
        pair.run()
        #expect(pair.downstreamError?.kind == .version)
        #expect(pair.upstreamError?.kind == .alert(.protocolVersion))
        #expect(pair.upstreamError?.message.contains("api.example.com") == true)
    }

    @Test(arguments: [
        ("alt.example.com", "api"), ("a.example.org", "wildcard"), ("b.example.net", "net"), ("B.Example.NET", "net"),
    ])
    func `the certificate is chosen by the server name`(host: String, certificate: String) throws {
        let pair = try SessionPair(.listener("api", "wildcard", "net"), .cluster(), host: host)
        pair.run()
        #expect(pair.upstreamError == nil)
        #expect(pair.upstream.peerCertificate?.commonName == certificate)
    }

    @Test(arguments: ["a.b.example.org", "example.org", "unknown.test"])
    func `any other name gets the first certificate`(host: String) throws {
        let pair = try SessionPair(.listener("api", "wildcard", "net"), .cluster(), host: host)
        pair.run()
        #expect(pair.upstreamError?.kind == .certificate(.wrongName))
        #expect(pair.upstreamError?.message.contains("alt.example.com") == true)
    }

    @Test func `a session is not open before the handshake is done`() throws {
        let pair = try SessionPair(.listener("api"), .cluster())
        #expect(pair.upstream.negotiated == nil && pair.upstream.peerCertificate == nil)
        #expect { try pair.upstream.send("early".utf8Span.span) } throws: { ($0 as? TLSError)?.kind == .notOpen }
        pair.upstream.close()
        pair.run()
        #expect(pair.upstream.isEstablished && pair.downstream.isEstablished)
    }

    /// A ClientHello of TLS 1.0 or 1.1 without extensions (RFC 4346 §7.4.1.2).
    @Test(arguments: [UInt8(1), 2]) func `older clients are refused with protocol_version`(minor: UInt8) throws {
        let session = try TLSSession(downstream: .listener("api"))
        let body = [3, minor] + [UInt8](repeating: 7, count: 32) + [0, 0, 4, 0xC0, 0x13, 0xC0, 0x09, 1, 0]
        let hello = [22, 3, 1, 0, UInt8(body.count + 4), 1, 0, 0, UInt8(body.count)] + body
        #expect { try session.receive(hello.span, appendingTo: ByteBuffer()) } throws: {
            ($0 as? TLSError)?.kind == .version
        }
        #expect(session.outbound.takeAll().suffix(2) == [2, 70])
    }

    /// A ServerHello that answers TLS 1.1 (RFC 4346 §7.4.1.3).
    @Test func `an older server is refused`() throws {
        let session = try TLSSession(upstream: .cluster(), host: "api.example.com", port: 443)
        _ = session.outbound.takeAll()
        let body = [3, 2] + [UInt8](repeating: 7, count: 32) + [0, 0xC0, 0x13, 0]
        let hello = [22, 3, 2, 0, UInt8(body.count + 4), 2, 0, 0, UInt8(body.count)] + body
        #expect { try session.receive(hello.span, appendingTo: ByteBuffer()) } throws: {
            ($0 as? TLSError)?.kind == .version
        }
        #expect(session.outbound.takeAll().suffix(2) == [2, 70])
    }
}
