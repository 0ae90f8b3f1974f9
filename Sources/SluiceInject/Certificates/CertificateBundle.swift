package import SluiceCore
internal import SluiceJSON
package import SluiceTLS

/// What the injector's Secret holds: its authority, the one to come, and the serving certificate, all PEM texts.
package struct CertificateBundle: Sendable {
    /// Whom the API server is to trust: the current authority first, then others that may be met.
    package var authorities: [UInt8] = []
    package var authorityKey: Secret?
    /// An authority that is made known before it is used.
    package var next: IssuedCertificate?
    /// Since when, in seconds since 1970.
    package var nextSince: Int64 = 0
    package var serving: IssuedCertificate?

    package init() {}

    /// The names under which they stand in the Secret.
    enum Key: String, CaseIterable {
        case authorities = "ca.crt", authorityKey = "ca.key"
        case next = "next-ca.crt", nextKey = "next-ca.key", nextSince = "next-ca.since"
        case certificate = "tls.crt", privateKey = "tls.key"
    }

    /// Whom the API server is to trust: `caBundle`.
    package var trusted: [UInt8] { next.map { authorities + $0.certificate } ?? authorities }

    // MARK: The Secret

    /// - Parameter data: `data` of a Secret; what cannot be read counts as missing.
    init(reading data: JSONValue?) {
        self.init()
        guard let data else { return }
        func text(_ key: Key) -> [UInt8] {
            guard let text = data[key: key.rawValue.utf8Span.span]?.string else { return [] }
            return Base64.decode(text.utf8Span.span) ?? []
        }
        func pair(_ certificate: Key, _ privateKey: Key) -> IssuedCertificate? {
            let (certificate, key) = (text(certificate), text(privateKey))
            return certificate.isEmpty || key.isEmpty
                ? nil : IssuedCertificate(certificate: certificate, privateKey: Secret(key.span))
        }
        authorities = text(.authorities)
        let key = text(.authorityKey)
        authorityKey = key.isEmpty ? nil : Secret(key.span)
        next = pair(.next, .nextKey)
        nextSince = Int64(String(decoding: text(.nextSince), as: UTF8.self)) ?? 0
        serving = pair(.certificate, .privateKey)
    }

    /// A merge patch of the Secret, which the API server takes only if nobody has changed it since.
    func patch(over resourceVersion: String) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 8192)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("metadata")
            json.object { json in
                json.key("resourceVersion")
                json.string(resourceVersion)
            }
            json.key("data")
            json.object { json in
                for key in Key.allCases {
                    json.key(key.rawValue.utf8Span.span)
                    if let value = value(of: key) {
                        value.withExposed { json.string(Base64.encode($0)) }
                    } else {
                        json.null()
                    }
                }
            }
        }
        return buffer
    }

    private func value(of key: Key) -> Secret? {
        switch key {
        case .authorities: authorities.isEmpty ? nil : Secret(authorities.span)
        case .authorityKey: authorityKey
        case .next: next.map { Secret($0.certificate.span) }
        case .nextKey: next?.privateKey
        case .nextSince: next == nil ? nil : Secret("\(nextSince)")
        case .certificate: serving.map { Secret($0.certificate.span) }
        case .privateKey: serving?.privateKey
        }
    }
}
