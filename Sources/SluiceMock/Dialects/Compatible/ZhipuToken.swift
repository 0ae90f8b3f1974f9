internal import SluiceCore
internal import SluiceTLS

/// Zhipu's bearer: the key `id.secret` as it is, or a JWT minted from it (HS256, times in milliseconds).
enum ZhipuToken {
    static func check(_ call: DialectCall) throws(DialectFailure) {
        guard let bearer = call.bearer else { throw DialectFailure(.noKey, "Authorization header is missing") }
        let parts = bearer.split(separator: ".")
        if parts.count != 3 { return try call.check(key: bearer) }
        try check(bearer, nowMilliseconds: call.now * 1000)
    }

    static func check(_ token: String, nowMilliseconds now: Int) throws(DialectFailure) {
        let parts = token.split(separator: ".").map { Array($0.utf8) }
        guard parts.count == 3, let head = SignedText.json(base64URL: parts[0]),
            let claims = SignedText.json(base64URL: parts[1]), let end = claims["exp"]?.whole,
            let start = claims["timestamp"]?.whole
        else { throw DialectFailure(.wrongKey, "The token is malformed") }
        if head["alg"]?.text != "HS256" || head["sign_type"]?.text != "SIGN" {
            throw DialectFailure(.wrongKey, "The token's header must have alg HS256 and sign_type SIGN")
        }
        if claims["api_key"]?.text != MockCredentials.zhipu.id {
            throw DialectFailure(.wrongKey, "The api_key is unknown")
        }
        let signed = String(decoding: parts[0] + [UInt8(ascii: ".")] + parts[1], as: UTF8.self)
        let signature = SignedText.mac(Array(MockCredentials.zhipu.secret.utf8), signed)
        if Base64.encode(signature.span, .urlSafe) != String(decoding: parts[2], as: UTF8.self) {
            throw DialectFailure(.wrongKey, "The token's signature is wrong")
        }
        if end <= now || start > now + MockCredentials.skewMax * 1000 || end < start {
            throw DialectFailure(.expiredKey, "The token has expired")
        }
    }
}
