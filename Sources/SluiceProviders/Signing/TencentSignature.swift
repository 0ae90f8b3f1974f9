package import SluiceCore
package import SluiceHTTP
package import SluiceTLS

/// TC3-HMAC-SHA256, with which Tencent Cloud's native APIs are called.
package struct TencentSignature: Sendable {
    package struct Credentials: Sendable {
        package var secretID: String
        package var secretKey: Secret
        /// Of temporary credentials.
        package var token: Secret?

        package init(secretID: String, secretKey: Secret, token: Secret? = nil) {
            self.secretID = secretID
            self.secretKey = secretKey
            self.token = token
        }
    }

    private static let algorithm: StaticString = "TC3-HMAC-SHA256"

    private let service: String
    private let token: Secret?
    /// The secret key as the first HMAC takes it, `TC3` before it.
    private let secret: Secret
    private let scope: DerivedKeyCache.Scope

    /// - Parameter service: such as `hunyuan`.
    package init(credentials: Credentials, service: String) {
        self.service = service
        token = credentials.token
        secret = credentials.secretKey.withExposed { key in
            let prefixed = ByteBuffer("TC3")
            prefixed.append(key)
            return Secret(prefixed.span)
        }
        scope = DerivedKeyCache.Scope(keyID: credentials.secretID, text: service + "/tc3_request")
    }

    /// Adds `x-tc-timestamp`, `x-tc-token` and `authorization`. Signed are `host`, `content-type` and, if it is there,
    /// `x-tc-action`; the caller has put `x-tc-action` and `x-tc-version` there.
    ///
    /// - Parameter seconds: since 1970. Tencent refuses what is five minutes off.
    package func sign(
        _ method: Method, target: Span<UInt8>, host: Span<UInt8>, fields: inout HeaderFields, bodyDigest: Digest,
        at seconds: Int, keys: inout DerivedKeyCache
    ) {
        let day = ByteBuffer(capacity: 16)
        CivilDate(secondsSince1970: seconds).appendDay(to: day)
        addFields(seconds, to: &fields)
        let signed = SignedFields(host: host, from: fields) { field, name in
            field == .contentType || name.equals("x-tc-action")
        }
        let request = canonicalRequest(method, target: target, signed, bodyDigest)
        let signature = signature(of: request, seconds, day, keys: &keys)
        let value = signed.authorization(Self.algorithm, keyID: scope.keyID, signature) { appendScope(day, to: $0) }
        fields.append(.authorization, value.span)
    }

    private func addFields(_ seconds: Int, to fields: inout HeaderFields) {
        fields.remove(.authorization)
        fields.remove(named: "x-tc-timestamp")
        fields.remove(named: "x-tc-token")
        fields.append(lowercaseName: "x-tc-timestamp", "\(seconds)")
        token?.withExposed { fields.append(name: "x-tc-token".utf8Span.span, value: $0) }
    }

    private func canonicalRequest(
        _ method: Method, target: Span<UInt8>, _ signed: SignedFields, _ bodyDigest: Digest
    ) -> ByteBuffer {
        let text = ByteBuffer(capacity: 384)
        let target = SigningTarget(target)
        text.append(method.name)
        text.append(ASCII.lineFeed)
        text.append(target.path)
        text.append(ASCII.lineFeed)
        target.appendQuery(to: text)
        text.append(ASCII.lineFeed)
        signed.appendLines(to: text) { value, text in
            for index in value.indices { text.append(value[index].asciiLowercased) }
        }
        text.append(ASCII.lineFeed)
        signed.appendNames(to: text)
        text.append(ASCII.lineFeed)
        bodyDigest.append(hexadecimalTo: text)
        return text
    }

    private func signature(
        of request: ByteBuffer, _ seconds: Int, _ day: ByteBuffer, keys: inout DerivedKeyCache
    ) -> Digest {
        let text = ByteBuffer(capacity: 192)
        text.append(Self.algorithm)
        text.append(ASCII.lineFeed)
        text.append(decimal: seconds)
        text.append(ASCII.lineFeed)
        appendScope(day, to: text)
        text.append(ASCII.lineFeed)
        SHA256.hash(request.span).append(hexadecimalTo: text)
        let key = keys.key(day: seconds / 86_400, scope: scope) {
            let ofDay = secret.withExposed { MAC.sha256(key: $0, message: day.span) }
            let ofService = MAC.sha256(key: ofDay.span, message: service.utf8Span.span)
            return MAC.sha256(key: ofService.span, message: "tc3_request".utf8Span.span)
        }
        return key.withExposed { MAC.sha256(key: $0, message: text.span) }
    }

    private func appendScope(_ day: ByteBuffer, to buffer: ByteBuffer) {
        buffer.append(day.span)
        buffer.append(UInt8(ascii: "/"))
        buffer.append(scope.text)
    }
}
