internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceTLS
internal import SluiceUpstream

/// Somebody to whom telemetry is sent: where, with which credentials, and how much may wait for him.
struct TelemetryReceiver: Sendable, Equatable {
    let configuration: TelemetryReceiverConfiguration
    let endpoint: Endpoint
    /// The value of `authorization`.
    private let authorization: Secret?

    var name: String { configuration.name }

    /// Reads the files of its TLS settings.
    ///
    /// - Parameter path: where its settings stand, for a mistake in them.
    init(_ configuration: TelemetryReceiverConfiguration, at path: String) throws(ConfigErrors) {
        self.configuration = configuration
        let url = configuration.url
        let tls = url.scheme.isSecure ? try Self.tls(configuration.tls, path) : nil
        var limits = Endpoint.PoolLimits()
        limits.connectionsMax = 1
        limits.wait = configuration.timeout
        endpoint = Endpoint(
            isTLS: url.scheme.isSecure, host: url.host, port: UInt16(clamping: url.port), tls: tls,
            tlsName: configuration.tls.serverName, tlsIdentity: tls?.filesIdentity ?? "", http: .http1, proxy: nil,
            limits: limits)
        authorization =
            switch configuration.credentials {
            case .none: nil
            case .bearer(let token): Self.secret("Bearer ") { buffer in token.withExposed { buffer.append($0) } }
            case .basic(let user, let password): Self.basic(user, password)
            }
    }

    /// The same settings, and the same certificates in the files that they name.
    static func == (one: Self, other: Self) -> Bool {
        one.configuration == other.configuration && one.endpoint.identity == other.endpoint.identity
    }

    private static func tls(_ settings: UpstreamTLSSettings, _ path: String) throws(ConfigErrors) -> TLSContext {
        var tls = UpstreamTLSConfiguration()
        tls.authoritiesFile = settings.caFile
        tls.applicationProtocols = [.http1]
        if let certificate = settings.clientCertificateFile, let key = settings.clientKeyFile {
            tls.identity = TLSIdentityFiles(certificateFile: certificate, privateKeyFile: key)
        }
        do throws(TLSError) {
            return try TLSContext(upstream: tls)
        } catch {
            throw ConfigErrors([ConfigMistake(path: "\(path).tls", location: nil, message: error.message)])
        }
    }

    private static func basic(_ user: String, _ password: Secret) -> Secret {
        let pair = ByteBuffer(user)
        pair.append(UInt8(ascii: ":"))
        password.withExposed { pair.append($0) }
        defer { pair.wipe() }
        return secret("Basic ") { Base64.encode(pair.span, into: $0) }
    }

    private static func secret(_ scheme: StaticString, _ write: (ByteBuffer) -> Void) -> Secret {
        let buffer = ByteBuffer(capacity: 4096)
        buffer.append(scheme)
        write(buffer)
        defer { buffer.wipe() }
        return Secret(buffer.span)
    }

    func request(_ message: TelemetryMessage) -> UpstreamRequest {
        var fields = HeaderFields()
        fields.append(.userAgent, "sluice/\(Server.version)")
        if let type = message.contentType { fields.append(.contentType, type) }
        for (name, value) in message.fields { fields.append(name: name.utf8Span.span, value: value.utf8Span.span) }
        authorization?.withExposed { fields.append(.authorization, $0) }
        for header in configuration.headers {
            header.value.withExposed { fields.append(name: header.name.utf8Span.span, value: $0) }
        }
        let target = [UInt8]((configuration.url.path + message.target).utf8)
        if message.body.isEmpty {
            return UpstreamRequest(
                method: message.method, target: target.isEmpty ? [UInt8(ascii: "/")] : target, fields: fields,
                body: .none)
        }
        let buffer = ByteBuffer(copying: message.body.span)
        return UpstreamRequest(
            method: message.method, target: target.isEmpty ? [UInt8(ascii: "/")] : target, fields: fields,
            body: .parts([UpstreamRequest.Part(buffer, 0..<buffer.count)], byteCount: buffer.count))
    }

    /// Whether bytes repeat something of what they must not: a receiver may answer with what it was sent.
    func isSecret(in bytes: Span<UInt8>) -> Bool {
        var secrets = configuration.headers.map(\.value)
        switch configuration.credentials {
        case .none: break
        case .bearer(let token): secrets.append(token)
        case .basic(_, let password): secrets.append(password)
        }
        if secrets.contains(where: { secret in secret.withExposed { Self.contains(bytes, $0) } }) { return true }
        // The pair of a name and a password as it is sent, whether its scheme stands before it or not.
        return authorization?.withExposed { value in
            guard let space = value.firstIndex(of: UInt8(ascii: " ")) else { return false }
            return Self.contains(bytes, value.extracting(space + 1..<value.count))
        } ?? false
    }

    private static func contains(_ bytes: Span<UInt8>, _ part: Span<UInt8>) -> Bool {
        if part.isEmpty || bytes.count < part.count { return false }
        for start in 0...(bytes.count - part.count) {
            var length = 0
            while length < part.count, bytes[start + length] == part[length] { length += 1 }
            if length == part.count { return true }
        }
        return false
    }
}
