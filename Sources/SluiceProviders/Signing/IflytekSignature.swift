package import SluiceCore
package import SluiceHTTP
internal import SluiceTLS

/// The signed URL of iFlytek Spark: the query shows who asks, in place of a header field.
package struct IflytekSignature: Sendable {
    private let apiKey: Secret
    private let apiSecret: Secret

    /// - Parameter apiSecret: taken as it is written; it looks like Base64 but is not decoded.
    package init(apiKey: Secret, apiSecret: Secret) {
        self.apiKey = apiKey
        self.apiSecret = apiSecret
    }

    /// The request target: the path with `authorization`, `date` and `host` in its query. It is good for one
    /// connection.
    ///
    /// - Parameters:
    ///   - method: GET for a WebSocket.
    ///   - path: without a query.
    ///   - host: must equal the `Host` that is sent.
    ///   - seconds: since 1970. iFlytek refuses what is five minutes off.
    package func target(_ method: Method, path: Span<UInt8>, host: Span<UInt8>, at seconds: Int) -> Secret {
        let date = HTTPDate.bytes(secondsSince1970: seconds)
        let authorization = authorization(method, path: path, host: host, date: date)
        let target = ByteBuffer(capacity: 512)
        target.append(path)
        target.append("?authorization=")
        PercentEncoding.append(authorization.span, to: target)
        target.append("&date=")
        PercentEncoding.append(date.span, to: target)
        target.append("&host=")
        PercentEncoding.append(host, to: target)
        return Secret(target.span)
    }

    /// The value of `authorization`: Base64 of what a header field would hold.
    private func authorization(
        _ method: Method, path: Span<UInt8>, host: Span<UInt8>, date: [UInt8]
    ) -> ByteBuffer {
        let origin = ByteBuffer(capacity: 256)
        origin.append("host: ")
        origin.append(host)
        origin.append("\ndate: ")
        origin.append(date.span)
        origin.append(ASCII.lineFeed)
        origin.append(method.name)
        origin.append(ASCII.space)
        origin.append(path)
        origin.append(" HTTP/1.1")
        let signature = apiSecret.withExposed { MAC.sha256(key: $0, message: origin.span) }
        let text = ByteBuffer(capacity: 256)
        text.append("api_key=\"")
        apiKey.withExposed { text.append($0) }
        text.append("\", algorithm=\"hmac-sha256\", headers=\"host date request-line\", signature=\"")
        Base64.encode(signature.span, into: text)
        text.append(UInt8(ascii: "\""))
        let encoded = ByteBuffer(capacity: 384)
        Base64.encode(text.span, into: encoded)
        return encoded
    }
}
