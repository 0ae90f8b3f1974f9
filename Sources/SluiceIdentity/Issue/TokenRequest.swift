package import SluiceCore

/// What a client asks the token endpoint for (RFC 6749 §4.4.2), and what it shows.
package struct TokenRequest: Sendable {
    /// What the endpoint answers in place of a token (RFC 6749 §5.2).
    package enum Refusal: String, Error, Sendable {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case unsupportedGrantType = "unsupported_grant_type"
        case invalidScope = "invalid_scope"
        case temporarilyUnavailable = "temporarily_unavailable"
        case serverError = "server_error"

        package var status: Int {
            switch self {
            case .invalidRequest, .unsupportedGrantType, .invalidScope: 400
            case .invalidClient: 401
            case .temporarilyUnavailable: 429
            case .serverError: 500
            }
        }

        package var description: StaticString {
            switch self {
            case .invalidRequest:
                "The request is no form with grant_type, or names a parameter twice, or shows a client's secret in two ways."
            case .invalidClient: "There is no such client, or its secret is another."
            case .unsupportedGrantType: "Only grant_type=client_credentials is known here."
            case .invalidScope: "The scope is not all that the client may do; leave it out."
            case .temporarilyUnavailable: "The client has asked for too many tokens. Try again later."
            case .serverError: "The token could not be signed."
            }
        }
    }

    /// Longer forms are not read, in bytes.
    package static let formByteCountMax = 16_384
    private static let parametersMax = 16

    package let clientID: String
    package let clientSecret: Secret
    package let scope: String?

    /// - Parameter authorization: the field's value, if there is one.
    package init(form: Span<UInt8>, authorization: Span<UInt8>?) throws(Refusal) {
        if form.count > Self.formByteCountMax { throw .invalidRequest }
        let parameters = try Self.parameters(form)
        guard let grant = parameters["grant_type"] else { throw .invalidRequest }
        if grant != "client_credentials" { throw .unsupportedGrantType }
        scope = parameters["scope"]
        if let authorization {
            // One method at a time (RFC 6749 §2.3).
            if parameters["client_secret"] != nil { throw .invalidRequest }
            (clientID, clientSecret) = try Self.basic(authorization)
            if let named = parameters["client_id"], named != clientID { throw .invalidRequest }
        } else {
            guard let id = parameters["client_id"], let secret = parameters["client_secret"] else {
                throw .invalidClient
            }
            clientID = id
            clientSecret = Secret(secret)
        }
    }

    private static func parameters(_ form: Span<UInt8>) throws(Refusal) -> [String: String] {
        var found: [String: String] = [:]
        var start = 0
        while start < form.count {
            let end = form.firstIndex(of: UInt8(ascii: "&"), from: start) ?? form.count
            let pair = form.extracting(start..<end)
            start = end + 1
            if pair.isEmpty { continue }
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
            guard let name = FormText.decode(pair.extracting(0..<equals)),
                let value = FormText.decode(pair.extracting(min(equals + 1, pair.count)..<pair.count)),
                found.count < parametersMax, found.updateValue(value, forKey: name) == nil
            else { throw .invalidRequest }
        }
        return found
    }

    /// Both halves are form text within the Base64 (RFC 6749 §2.3.1).
    private static func basic(_ value: Span<UInt8>) throws(Refusal) -> (String, Secret) {
        guard value.hasPrefixIgnoringCase("basic ") else { throw .invalidClient }
        let rest = value.extracting("basic ".utf8.count..<value.count)
        let trimmed = rest.extracting(rest.trimmingOptionalWhitespace())
        guard let bytes = Base64.decode(trimmed) else { throw .invalidClient }
        let pair = bytes.span
        guard let colon = pair.firstIndex(of: UInt8(ascii: ":")),
            let id = FormText.decode(pair.extracting(0..<colon)),
            let secret = FormText.decode(pair.extracting(colon + 1..<pair.count))
        else { throw .invalidClient }
        return (id, Secret(secret))
    }
}
