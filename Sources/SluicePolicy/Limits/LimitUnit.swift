/// What a limit counts.
package enum LimitUnit: String, Sendable, CaseIterable {
    case requests
    case inputTokens = "input_tokens"
    case outputTokens = "output_tokens"
    case totalTokens = "total_tokens"
    /// Requests that are under way.
    case concurrency
    /// Millionths of the currency that prices are in.
    case cost

    /// Whether an amount is only estimated before the request has been answered.
    package var isEstimated: Bool {
        switch self {
        case .requests, .concurrency: false
        case .inputTokens, .outputTokens, .totalTokens, .cost: true
        }
    }
}

/// How much of every unit one request takes: estimated before it goes out, real when it has been answered.
package struct LimitAmounts: Sendable, Equatable {
    package var inputTokens = 0
    package var outputTokens = 0
    /// Millionths of the currency.
    package var cost = 0

    package init(inputTokens: Int = 0, outputTokens: Int = 0, cost: Int = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cost = cost
    }

    /// No more than anybody's limit may be, so that sums of a few do not overflow.
    package static let amountMax = 10_000_000_000_000

    /// Never negative, whatever a provider may say that it has counted.
    package subscript(_ unit: LimitUnit) -> Int {
        switch unit {
        case .requests, .concurrency: 1
        case .inputTokens: Self.bounded(inputTokens)
        case .outputTokens: Self.bounded(outputTokens)
        case .totalTokens: Self.bounded(inputTokens) + Self.bounded(outputTokens)
        case .cost: Self.bounded(cost)
        }
    }

    package mutating func add(_ other: LimitAmounts) {
        inputTokens = Self.bounded(inputTokens) + Self.bounded(other.inputTokens)
        outputTokens = Self.bounded(outputTokens) + Self.bounded(other.outputTokens)
        cost = Self.bounded(cost) + Self.bounded(other.cost)
    }

    private static func bounded(_ amount: Int) -> Int { min(max(amount, 0), amountMax) }
}
