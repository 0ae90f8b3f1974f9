package import SluiceCore
internal import SluiceHTTP
internal import SluiceTLS
package import SluiceUpstream
internal import Synchronization

/// A signature over the whole request with a key that is derived anew each day: AWS Signature Version 4 (bedrock sheet, section 8),
/// TC3-HMAC-SHA256 (tencent sheet, section 3.2).
package final class DerivedKeySigner: RequestSigner {
    package enum Scheme: Sendable {
        case aws(AWSSignature)
        case tencent(TencentSignature)
    }

    private let scheme: Scheme
    private let secrets: [Secret]
    private let keys = Mutex(DerivedKeyCache())

    package init(aws credentials: AWSSignature.Credentials, region: String, service: String) {
        scheme = .aws(AWSSignature(credentials: credentials, region: region, service: service))
        secrets = [credentials.secretAccessKey, credentials.sessionToken].compactMap(\.self)
    }

    package init(tencent credentials: TencentSignature.Credentials, service: String) {
        scheme = .tencent(TencentSignature(credentials: credentials, service: service))
        secrets = [credentials.secretKey, credentials.token].compactMap(\.self)
    }

    package func sign(_ request: inout UpstreamRequest, authority: [UInt8], at seconds: Int) {
        let digest = request.bodyDigest
        let (method, target) = (request.method, request.target)
        keys.withLock { keys in
            switch scheme {
            case .aws(let signature):
                signature.sign(
                    method, target: target.span, host: authority.span, fields: &request.fields, bodyDigest: digest,
                    at: seconds, keys: &keys)
            case .tencent(let signature):
                signature.sign(
                    method, target: target.span, host: authority.span, fields: &request.fields, bodyDigest: digest,
                    at: seconds, keys: &keys)
            }
        }
    }

    package func conceal(in buffer: ByteBuffer) { for secret in secrets { Concealment.conceal(secret, in: buffer) } }
}

/// bce-auth-v1 (baidu sheet, section 3.3).
package final class BaiduSigner: RequestSigner {
    private let signature: BaiduSignature
    private let secret: Secret

    package init(accessKeyID: String, secretKey: Secret) {
        signature = BaiduSignature(accessKeyID: accessKeyID, secretKey: secretKey)
        secret = secretKey
    }

    package func sign(_ request: inout UpstreamRequest, authority: [UInt8], at seconds: Int) {
        let (method, target) = (request.method, request.target)
        signature.sign(method, target: target.span, host: authority.span, fields: &request.fields, at: seconds)
    }

    package func conceal(in buffer: ByteBuffer) { Concealment.conceal(secret, in: buffer) }
}

/// A short-lived token made from the key (sheet on the Chinese providers, section 1.1); a key that is no pair goes as it is.
package final class ZhipuSigner: RequestSigner {
    private let key: Secret
    private let token: Mutex<ZhipuToken?>

    package init(key: Secret) {
        self.key = key
        token = Mutex(ZhipuToken(key: key))
    }

    package func sign(_ request: inout UpstreamRequest, authority: [UInt8], at seconds: Int) {
        let shown = token.withLock { token in token?.token(atMilliseconds: seconds * 1000) } ?? key
        let value = ByteBuffer("Bearer ")
        shown.withExposed { value.append($0) }
        request.fields.append(.authorization, value.span)
    }

    package func conceal(in buffer: ByteBuffer) { Concealment.conceal(key, in: buffer) }
}

/// The signed URL of iFlytek Spark (iflytek sheet, section 3.2).
package final class IflytekSigner: RequestSigner {
    private let signature: IflytekSignature
    private let secrets: [Secret]
    package let applicationID: String?

    package init(apiKey: Secret, apiSecret: Secret, applicationID: String? = nil) {
        signature = IflytekSignature(apiKey: apiKey, apiSecret: apiSecret)
        self.applicationID = applicationID
        secrets = [apiKey, apiSecret]
    }

    package func sign(_ request: inout UpstreamRequest, authority: [UInt8], at seconds: Int) {
        let signed = signature.target(request.method, path: request.target.span, host: authority.span, at: seconds)
        request.target = signed.withExposed { [UInt8](copying: $0) }
    }

    package func conceal(in buffer: ByteBuffer) { for secret in secrets { Concealment.conceal(secret, in: buffer) } }
}

/// The key as a parameter of the query.
package final class QueryKeySigner: RequestSigner {
    private let name: String
    private let key: Secret

    package init(name: String, key: Secret) {
        self.name = name
        self.key = key
    }

    package func sign(_ request: inout UpstreamRequest, authority: [UInt8], at seconds: Int) {
        request.appendQuery(name, key)
    }

    package func conceal(in buffer: ByteBuffer) { Concealment.conceal(key, in: buffer) }
}

/// A token that was exchanged for the key, as a bearer or in the query.
package final class TokenSigner: RequestSigner {
    /// Where the token stands.
    package enum Place: Sendable {
        case bearer
        case query(String)
    }

    private let source: TokenSource
    private let place: Place

    package init(_ source: TokenSource, in place: Place) {
        self.source = source
        self.place = place
    }

    package var tokens: TokenSource? { source }

    package func sign(_ request: inout UpstreamRequest, authority: [UInt8], at seconds: Int) {
        guard let token = source.current(at: seconds) else { return }
        switch place {
        case .query(let name): request.appendQuery(name, token)
        case .bearer:
            let value = ByteBuffer("Bearer ")
            token.withExposed { value.append($0) }
            request.fields.append(.authorization, value.span)
        }
    }

    package func conceal(in buffer: ByteBuffer) { source.conceal(in: buffer) }
}

extension UpstreamRequest {
    /// Of the body's bytes; a body that is streamed cannot be signed and counts as empty.
    fileprivate var bodyDigest: Digest {
        var hash = SHA256()
        if case .parts(let parts, _) = body {
            for part in parts { hash.update(part.buffer.span.extracting(part.range)) }
        }
        return hash.finish()
    }

    fileprivate mutating func appendQuery(_ name: String, _ value: Secret) {
        let query = ByteBuffer(capacity: 64)
        query.append(
            target.span.firstIndex(of: UInt8(ascii: "?"), from: 0) == nil ? UInt8(ascii: "?") : UInt8(ascii: "&"))
        PercentEncoding.append(name.utf8Span.span, to: query)
        query.append(UInt8(ascii: "="))
        value.withExposed { PercentEncoding.append($0, to: query) }
        target.append(contentsOf: [UInt8](copying: query.span))
    }
}
