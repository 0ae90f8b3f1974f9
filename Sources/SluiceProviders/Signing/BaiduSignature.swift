package import SluiceCore
package import SluiceHTTP
internal import SluiceTLS

/// bce-auth-v1, with which Baidu Cloud's APIs are called by access key and secret key.
package struct BaiduSignature: Sendable {
    /// Which fields a signature covers.
    package enum Coverage: Sendable {
        case host
        /// `host`, `x-bce-date` and, if there is one, `content-type`.
        case hostDateAndContentType
    }

    /// How long a signature is good for unless told otherwise.
    package static let lifetimeSeconds = 1800

    private let accessKeyID: String
    private let secretKey: Secret

    package init(accessKeyID: String, secretKey: Secret) {
        self.accessKeyID = accessKeyID
        self.secretKey = secretKey
    }

    /// Adds `authorization`, and `x-bce-date` if it is covered. The body is not signed.
    ///
    /// - Parameter seconds: since 1970.
    package func sign(
        _ method: Method, target: Span<UInt8>, host: Span<UInt8>, fields: inout HeaderFields, at seconds: Int,
        lifetimeSeconds: Int = BaiduSignature.lifetimeSeconds, covering coverage: Coverage = .hostDateAndContentType
    ) {
        let time = ByteBuffer(capacity: 24)
        CivilDate(secondsSince1970: seconds).append(to: time)
        fields.remove(.authorization)
        fields.remove(named: "x-bce-date")
        if coverage != .host { fields.append(name: "x-bce-date".utf8Span.span, value: time.span) }
        let signed = SignedFields(host: host, from: fields) { field, name in
            coverage != .host && (field == .contentType || name.equals("x-bce-date"))
        }
        let value = ByteBuffer(capacity: 256)
        value.append("bce-auth-v1/")
        value.append(accessKeyID)
        value.append(UInt8(ascii: "/"))
        value.append(time.span)
        value.append(UInt8(ascii: "/"))
        value.append(decimal: lifetimeSeconds)
        let key = secretKey.withExposed { MAC.sha256(key: $0, message: value.span) }
        // The next key is the hexadecimal text of this one, not its bytes.
        let keyText = ByteBuffer(capacity: 64)
        key.append(hexadecimalTo: keyText)
        let request = canonicalRequest(method, target: target, signed)
        value.append(UInt8(ascii: "/"))
        signed.appendNames(to: value)
        value.append(UInt8(ascii: "/"))
        MAC.sha256(key: keyText.span, message: request.span).append(hexadecimalTo: value)
        fields.append(.authorization, value.span)
    }

    private func canonicalRequest(_ method: Method, target: Span<UInt8>, _ signed: SignedFields) -> ByteBuffer {
        let text = ByteBuffer(capacity: 384)
        let target = SigningTarget(target)
        let path = ByteBuffer(capacity: target.path.count)
        PercentEncoding.appendDecoded(target.path, to: path)
        text.append(method.name)
        text.append(ASCII.lineFeed)
        PercentEncoding.append(path.span, keepsSlash: true, to: text)
        text.append(ASCII.lineFeed)
        target.appendQuery(without: "authorization", to: text)
        text.append(ASCII.lineFeed)
        signed.appendLines(to: text) { value, text in PercentEncoding.append(value, to: text) }
        text.truncate(to: text.count - 1)  // the last line has no line feed
        return text
    }
}
