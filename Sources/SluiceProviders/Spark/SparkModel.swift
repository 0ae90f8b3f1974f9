/// iFlytek's models: each has a path and a domain of its own, and both must fit (iflytek sheet, section 3.1).
struct SparkModel: Sendable {
    let path: String
    let domain: String
    /// `nil`: not known.
    var outputTokensMax: Int?
    /// Whether it heeds a first message of the system.
    var hasSystem = false

    /// - Returns: `nil` for a model that is not in the table: gateways that guess end up at the smallest model in silence.
    static func named(_ name: String) -> SparkModel? { table[name.lowercased()] }

    /// A service of one's own, which the request names by `patch_id`: the model is its domain.
    static func fineTuned(_ name: String) -> SparkModel { SparkModel(path: "/v1.1/chat", domain: name) }

    private static let lite = SparkModel(path: "/v1.1/chat", domain: "lite", outputTokensMax: 4096)
    private static let pro = SparkModel(path: "/v3.1/chat", domain: "generalv3", outputTokensMax: 8192)
    private static let pro128K = SparkModel(path: "/chat/pro-128k", domain: "pro-128k", outputTokensMax: 4096)
    private static let max = SparkModel(
        path: "/v3.5/chat", domain: "generalv3.5", outputTokensMax: 8192, hasSystem: true)
    private static let max32K = SparkModel(
        path: "/chat/max-32k", domain: "max-32k", outputTokensMax: 32_768, hasSystem: true)
    private static let ultra = SparkModel(
        path: "/v4.0/chat", domain: "4.0Ultra", outputTokensMax: 32_768, hasSystem: true)
    /// Whether the X line heeds the system is not known.
    private static let x1 = SparkModel(path: "/v1/x1", domain: "spark-x", outputTokensMax: 65_535, hasSystem: true)
    private static let x2 = SparkModel(path: "/x2", domain: "spark-x", hasSystem: true)

    /// By what the vendor, the HTTP interface and applications call them.
    private static let table: [String: SparkModel] = [
        "lite": lite, "spark-lite": lite,
        "general": SparkModel(path: "/v1.1/chat", domain: "general", outputTokensMax: 4096),
        "generalv2": SparkModel(path: "/v2.1/chat", domain: "generalv2", outputTokensMax: 8192),
        "generalv3": pro, "pro": pro, "spark-pro": pro,
        "pro-128k": pro128K, "spark-pro-128k": pro128K,
        "generalv3.5": max, "max": max, "spark-max": max,
        "max-32k": max32K, "spark-max-32k": max32K,
        "4.0ultra": ultra, "spark-4.0-ultra": ultra, "ultra": ultra,
        "x1": x1, "x1.5": x1, "spark-x1": x1, "spark-x1.5": x1, "spark-x": x1,
        "x2": x2, "spark-x2": x2,
        "kjwx": SparkModel(path: "/v1.1/chat_kjwx", domain: "kjwx"),
    ]
}
