/// An amount as Kubernetes writes it: `500m`, `64Mi`, `1.5` (apimachinery, resource.Quantity), without exponents.
package struct Quantity: Sendable, Equatable, CustomStringConvertible {
    package let description: String
    /// In thousandths; an amount beyond what fits is refused.
    let thousandths: Int

    private static let suffixes: [(text: String, thousandths: Int)] = [
        ("", 1000), ("m", 1), ("k", 1_000_000), ("M", 1_000_000_000), ("G", 1_000_000_000_000),
        ("T", 1_000_000_000_000_000), ("Ki", 1024 * 1000), ("Mi", 1_048_576_000), ("Gi", 1_073_741_824_000),
        ("Ti", 1_099_511_627_776_000),
    ]
    private static let digitsMax = 12
    /// Twelve digits, a point, three digits and a suffix.
    private static let byteCountMax = digitsMax + 6

    /// `nil` for anything else, and for nothing at all.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.byteCountMax else { return nil }
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = text.dropFirst(digits.count)
        guard let unit = Self.suffixes.first(where: { $0.text == suffix })?.thousandths else { return nil }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard 1...2 ~= parts.count, 1...Self.digitsMax ~= parts[0].count, let whole = Int(parts[0]) else { return nil }
        var (amount, overflowed) = whole.multipliedReportingOverflow(by: unit)
        if overflowed { return nil }
        if parts.count == 2 {
            guard 1...3 ~= parts[1].count, let fraction = Int(parts[1]) else { return nil }
            let (product, tooMuch) = fraction.multipliedReportingOverflow(by: unit)
            let scale = [10, 100, 1000][parts[1].count - 1]
            (amount, overflowed) = amount.addingReportingOverflow(product / scale)
            if tooMuch || overflowed { return nil }
        }
        if amount <= 0 { return nil }
        thousandths = amount
        description = text
    }
}
