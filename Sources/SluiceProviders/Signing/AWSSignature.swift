package import SluiceCore
package import SluiceHTTP
package import SluiceTLS

/// AWS Signature Version 4 over header fields, for every service but S3 (whose paths are encoded once only).
package struct AWSSignature: Sendable {
    package struct Credentials: Sendable {
        package var accessKeyID: String
        package var secretAccessKey: Secret
        /// Of temporary credentials.
        package var sessionToken: Secret?

        package init(accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret? = nil) {
            self.accessKeyID = accessKeyID
            self.secretAccessKey = secretAccessKey
            self.sessionToken = sessionToken
        }
    }

    private static let algorithm: StaticString = "AWS4-HMAC-SHA256"

    private let region: String
    private let service: String
    private let sessionToken: Secret?
    /// The secret key as the first HMAC takes it, `AWS4` before it.
    private let secret: Secret
    private let scope: DerivedKeyCache.Scope

    /// - Parameter service: the name in signatures: `bedrock`, though its hosts begin with `bedrock-runtime`.
    package init(credentials: Credentials, region: String, service: String) {
        self.region = region
        self.service = service
        sessionToken = credentials.sessionToken
        secret = credentials.secretAccessKey.withExposed { key in
            let prefixed = ByteBuffer("AWS4")
            prefixed.append(key)
            return Secret(prefixed.span)
        }
        scope = DerivedKeyCache.Scope(
            keyID: credentials.accessKeyID, text: region + "/" + service + "/aws4_request")
    }

    /// Adds `x-amz-date`, `x-amz-security-token` and `authorization`. Signed are `host`, `content-type` and every
    /// `x-amz-*`; other fields may be added or changed later.
    ///
    /// - Parameters:
    ///   - target: as it is sent: each segment of the path percent-encoded (`PathSegment`), no dots, no empty segments.
    ///   - host: as it is sent; without the port if that is 443.
    ///   - seconds: since 1970. AWS refuses what is five minutes off.
    package func sign(
        _ method: Method, target: Span<UInt8>, host: Span<UInt8>, fields: inout HeaderFields, bodyDigest: Digest,
        at seconds: Int, keys: inout DerivedKeyCache
    ) {
        let date = CivilDate(secondsSince1970: seconds)
        let time = ByteBuffer(capacity: 16)
        date.appendBasic(to: time)
        addFields(time, to: &fields)
        let signed = SignedFields(host: host, from: fields) { field, name in
            field == .contentType || name.hasPrefix("x-amz-")
        }
        let request = canonicalRequest(method, target: target, signed, bodyDigest)
        let signature = signature(of: request, time, day: seconds / 86_400, keys: &keys)
        let value = signed.authorization(Self.algorithm, keyID: scope.keyID, signature) { appendScope(time, to: $0) }
        fields.append(.authorization, value.span)
    }

    private func addFields(_ time: ByteBuffer, to fields: inout HeaderFields) {
        fields.remove(.authorization)
        fields.remove(named: "x-amz-date")
        fields.remove(named: "x-amz-security-token")
        fields.append(name: "x-amz-date".utf8Span.span, value: time.span)
        sessionToken?.withExposed { fields.append(name: "x-amz-security-token".utf8Span.span, value: $0) }
    }

    func canonicalRequest(
        _ method: Method, target: Span<UInt8>, _ signed: SignedFields, _ bodyDigest: Digest
    ) -> ByteBuffer {
        let text = ByteBuffer(capacity: 512)
        let target = SigningTarget(target)
        text.append(method.name)
        text.append(ASCII.lineFeed)
        PercentEncoding.append(target.path, keepsSlash: true, to: text)
        text.append(ASCII.lineFeed)
        target.appendQuery(to: text)
        text.append(ASCII.lineFeed)
        signed.appendLines(to: text, value: Self.appendCollapsed)
        text.append(ASCII.lineFeed)
        signed.appendNames(to: text)
        text.append(ASCII.lineFeed)
        bodyDigest.append(hexadecimalTo: text)
        return text
    }

    private func signature(
        of request: ByteBuffer, _ time: ByteBuffer, day: Int, keys: inout DerivedKeyCache
    ) -> Digest {
        let text = ByteBuffer(capacity: 192)
        text.append(Self.algorithm)
        text.append(ASCII.lineFeed)
        text.append(time.span)
        text.append(ASCII.lineFeed)
        appendScope(time, to: text)
        text.append(ASCII.lineFeed)
        SHA256.hash(request.span).append(hexadecimalTo: text)
        let key = keys.key(day: day, scope: scope) { derivedKey(time.span.extracting(0..<8)) }
        return key.withExposed { MAC.sha256(key: $0, message: text.span) }
    }

    /// - Parameter day: `20260101`.
    private func derivedKey(_ day: Span<UInt8>) -> Digest {
        let ofDay = secret.withExposed { MAC.sha256(key: $0, message: day) }
        let ofRegion = MAC.sha256(key: ofDay.span, message: region.utf8Span.span)
        let ofService = MAC.sha256(key: ofRegion.span, message: service.utf8Span.span)
        return MAC.sha256(key: ofService.span, message: "aws4_request".utf8Span.span)
    }

    private func appendScope(_ time: ByteBuffer, to buffer: ByteBuffer) {
        buffer.append(time.span.extracting(0..<8))
        buffer.append(UInt8(ascii: "/"))
        buffer.append(scope.text)
    }

    /// A value with one space where there were several.
    private static func appendCollapsed(_ value: Span<UInt8>, to buffer: ByteBuffer) {
        var wasSpace = false
        for index in value.indices {
            let isSpace = value[index] == ASCII.space
            if !(isSpace && wasSpace) { buffer.append(value[index]) }
            wasSpace = isSpace
        }
    }
}
