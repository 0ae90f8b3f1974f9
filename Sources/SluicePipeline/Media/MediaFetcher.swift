internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet
internal import SluiceUpstream

/// Fetches an image that a caller names by URL: only where the policy allows it, only from the public internet, without credentials,
/// cookies or redirects, and only so much of it.
struct MediaFetcher {
    let loop: EventLoop
    let resolver: Resolver

    /// An image as it came.
    struct Image {
        let mediaType: String
        let bytes: ByteBuffer
    }

    /// - Parameters:
    ///   - byteCountMax: of the image.
    ///   - onSent: is given what carries the request, so that it can be cancelled.
    func fetch(
        _ url: WebURL, _ policy: MediaPolicy, atMost byteCountMax: Int, _ onSent: (UpstreamExchange) -> Void
    ) async throws(UpstreamError) -> Image {
        guard policy.allows(url.host) else {
            throw UpstreamError(.connect, "the configuration does not allow images from \(url.host)")
        }
        var limits = Endpoint.PoolLimits()
        limits.connectionsMax = 1
        let endpoint = Endpoint(
            isTLS: url.isSecure, host: url.host, port: url.port, tls: url.isSecure ? policy.tls : nil, http: .http1,
            proxy: nil, limits: limits, requiresPublicAddress: !policy.allowsPrivateAddresses)
        let pool = ConnectionPool(endpoint: endpoint, loop: loop, resolver: resolver)
        defer { pool.drain() }
        var fields = HeaderFields()
        fields.append(.accept, "image/*")
        let request = UpstreamRequest(method: .get, target: url.target, fields: fields, body: .none)
        let deadlines = Deadlines(
            connect: policy.timeout, head: policy.timeout, idle: policy.timeout, total: loop.now + policy.timeout)
        let exchange = try await pool.send(request, deadlines: deadlines)
        onSent(exchange)
        let head = try await exchange.responseHead()
        do throws(UpstreamError) {
            return Image(mediaType: try Self.mediaType(head), bytes: try await Self.body(exchange, byteCountMax))
        } catch {
            exchange.cancel(error)
            throw error
        }
    }

    private static func mediaType(_ head: ResponseHead) throws(UpstreamError) -> String {
        guard head.status == 200 else {
            throw UpstreamError(.malformed, "it answered with status \(head.status.code)")
        }
        let type = head.fields.text(.contentType)?.prefix { $0 != ";" }.lowercased() ?? ""
        let isPlain = type.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "/+-.".utf8.contains($0) }
        guard type.hasPrefix("image/"), isPlain else { throw UpstreamError(.malformed, "it is no image") }
        return type
    }

    private static func body(_ exchange: UpstreamExchange, _ byteCountMax: Int) async throws(UpstreamError)
        -> ByteBuffer
    {
        guard let body = try await exchange.collect(atMost: byteCountMax) else {
            throw UpstreamError(.tooLarge, "it is longer than \(byteCountMax) bytes")
        }
        return body
    }
}
