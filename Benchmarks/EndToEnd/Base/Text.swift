/// Numbers and columns as text, without Foundation.
enum Text {
    /// A number with this many digits after the point.
    static func fixed(_ value: Double, digits: Int) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (value.magnitude * scale).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let units = Int(scaled)
        let sign = value < 0 && units > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(units)" }
        let fraction = String(units % Int(scale))
        return "\(sign)\(units / Int(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// A number with about three digits that mean something.
    static func short(_ value: Double) -> String {
        switch value.magnitude {
        case ..<10: fixed(value, digits: 2)
        case ..<100: fixed(value, digits: 1)
        default: fixed(value, digits: 0)
        }
    }

    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
