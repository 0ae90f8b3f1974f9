/// Takes some requests to another model, or to their model's targets in another order.
package struct RouteRule: Sendable, Equatable {
    /// As the log has it.
    package var name: String
    package var condition: RouteCondition
    /// Answers in place of the model that was asked for.
    package var model: String?
    /// Providers whose targets come before the others, in this order.
    package var preferred: [String]
    /// In place of the targets' own, by provider; 0 to 1000.
    package var weights: [String: Int]

    package init(
        name: String, condition: RouteCondition = RouteCondition(), model: String? = nil, preferred: [String] = [],
        weights: [String: Int] = [:]
    ) {
        self.name = name
        self.condition = condition
        self.model = model
        self.preferred = preferred
        self.weights = weights
    }
}
