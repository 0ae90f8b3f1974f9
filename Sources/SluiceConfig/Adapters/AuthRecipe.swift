/// Ways to prove who asks that are more than a key in a field: named here, carried out where requests are sent.
package enum AuthRecipe: String, Sendable, CaseIterable {
    case zhipuJWT = "zhipu-jwt"
    case sparkURLHMAC = "spark-url-hmac"
    case tencentTC3 = "tencent-tc3"
    case awsSigV4 = "aws-sigv4"
    case baiduOAuth = "baidu-oauth"
    case bceV1 = "bce-v1"
    case azureClientCredentials = "azure-client-credentials"
    case googleServiceAccount = "google-service-account"

    /// One thing that a recipe is told.
    package struct Setting: Sendable, Equatable {
        package var name: String
        package var isRequired: Bool
        package var isSecret: Bool
        package var doc: String

        init(_ name: String, required: Bool = true, secret: Bool = false, _ doc: String) {
            self.name = name
            isRequired = required
            isSecret = secret
            self.doc = doc
        }
    }

    /// Whether the recipe works on the provider's `api_key`.
    package var usesKey: Bool { self == .zhipuJWT }

    package var settings: [Setting] {
        switch self {
        case .zhipuJWT: []
        case .sparkURLHMAC:
            [
                Setting("app_id", "The application's id."),
                Setting("api_key", secret: true, "The APIKey."),
                Setting("api_secret", secret: true, "The APISecret."),
            ]
        case .tencentTC3:
            [
                Setting("secret_id", secret: true, "The SecretId."),
                Setting("secret_key", secret: true, "The SecretKey."),
                Setting("service", required: false, "The service in the scope; default hunyuan."),
                Setting("region", required: false, "`X-TC-Region`."),
            ]
        case .awsSigV4:
            [
                Setting("access_key_id", secret: true, "The access key's id."),
                Setting("secret_access_key", secret: true, "The access key."),
                Setting("session_token", required: false, secret: true, "For temporary credentials."),
                Setting("region", "The region in the scope."),
                Setting("service", required: false, "The service in the scope; default bedrock."),
            ]
        case .baiduOAuth:
            [
                Setting("client_id", secret: true, "The API Key."),
                Setting("client_secret", secret: true, "The Secret Key."),
                Setting("token_url", required: false, "Where tokens are; default Baidu's."),
            ]
        case .bceV1:
            [
                Setting("access_key", secret: true, "The Access Key."),
                Setting("secret_key", secret: true, "The Secret Key."),
            ]
        case .azureClientCredentials:
            [
                Setting("tenant_id", "The directory's id."),
                Setting("client_id", "The application's id."),
                Setting("client_secret", secret: true, "Its secret."),
                Setting(
                    "scope", required: false,
                    "What the token is for; default `https://cognitiveservices.azure.com/.default`."),
                Setting("token_url", required: false, "Where tokens are; default Microsoft's."),
            ]
        case .googleServiceAccount:
            [
                Setting("service_account", secret: true, "The account's JSON: `file:/path`."),
                Setting("scope", required: false, "What the token is for; default cloud-platform."),
            ]
        }
    }

    /// All settings of all recipes, by name.
    static let allSettings: [Setting] = {
        var settings: [Setting] = []
        for recipe in allCases {
            for setting in recipe.settings where !settings.contains(where: { $0.name == setting.name }) {
                settings.append(setting)
            }
        }
        return settings
    }()
}
