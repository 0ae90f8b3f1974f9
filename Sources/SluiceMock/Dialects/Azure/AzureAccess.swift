internal import SluiceCore
internal import SluiceHTTP

/// Azure's paths, its two kinds of credentials, and the endpoint that gives tokens for client credentials.
enum AzureAccess {
    private static let kind = "azure"

    static func isToken(_ call: DialectCall) -> Bool {
        call.prefix.hasPrefix("azure") && call.path.count == 4 && call.ends(with: "oauth2", "v2.0", "token")
    }

    static func check(_ call: DialectCall) throws(DialectFailure) {
        if isToken(call) { return }
        if let key = call.header("api-key") { return try call.check(key: key) }
        guard let token = call.bearer else { throw DialectFailure(.noKey, "") }
        switch Seal.state(of: token, kind, now: call.now) {
        case .valid: break
        case .expired: throw DialectFailure(.expiredKey, "")
        // The v1 form takes a key as a bearer too.
        case .unknown:
            if call.prefix == "azure" { throw DialectFailure(.wrongKey, "") }
            try call.check(key: token)
        }
    }

    static func deployment(_ call: DialectCall) -> String? {
        call.path.count >= 4 && call.path[0] == "openai" && call.path[1] == "deployments" ? call.path[2] : nil
    }

    static func checkPath(_ call: DialectCall) throws(DialectFailure) {
        let version = call.parameter("api-version") ?? ""
        let digits = version.prefix(10)
        let isDate = digits.count == 10 && digits.allSatisfy { $0.isNumber || $0 == "-" }
        let rest = version.dropFirst(10)
        if !isDate || !(rest.isEmpty || rest == "-preview") || call.path.first != "openai" {
            throw DialectFailure(.noPath, "Resource not found")
        }
        if deployment(call) == nil, call.path != ["openai", "models"] {
            throw DialectFailure(.noPath, "Resource not found")
        }
    }

    static func token(_ call: DialectCall) -> Reply {
        let form = DialectCall.form(String(decoding: call.body.span))
        func value(_ name: String) -> String { form.first { $0.name == name }?.value ?? "" }
        if value("grant_type") != "client_credentials" || value("client_id").isEmpty {
            return Reply(
                [
                    "error": "unsupported_grant_type",
                    "error_description": "AADSTS70003: grant_type must be client_credentials.",
                ], status: 400)
        }
        if value("client_secret").isEmpty || value("client_secret").hasSuffix("sk-refused") {
            return Reply(
                ["error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."],
                status: 401)
        }
        let scopes = ["https://cognitiveservices.azure.com/.default", "https://ai.azure.com/.default"]
        if !scopes.contains(value("scope")) {
            return Reply(
                [
                    "error": "invalid_scope",
                    "error_description": "AADSTS70011: The provided value for scope is not valid.",
                ], status: 400)
        }
        let lifetime = call.options.tokenSeconds ?? 3599
        return Reply([
            "token_type": "Bearer", "expires_in": .int(lifetime),
            "access_token": .string(Seal.token(kind, now: call.now, lifetime: lifetime)),
        ])
    }
}
