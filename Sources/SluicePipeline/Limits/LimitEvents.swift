internal import SluiceCore
internal import SluicePolicy

/// What the log says of limits.
enum LimitEvents {
    /// A budget of which 80 or 100 percent have been spent.
    static func write(_ rule: LimitRule, _ percent: Int, _ values: [String], _ entry: borrowing LogLine) {
        entry.field("sluice.limit.name", rule.name)
        entry.field("sluice.limit.percent", percent)
        if !values.isEmpty {
            let pairs = zip(rule.by.names, values).map { "\($0)=\($1)" }
            entry.field("sluice.limit.bucket", pairs.joined(separator: ", "))
        }
    }
}
