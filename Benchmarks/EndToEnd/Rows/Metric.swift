/// One number of a row, and what it has to be.
struct Metric {
    enum Bar: Equatable {
        case none
        /// Times nginx's number of the same round, at most.
        case ratioAtMost(Double)
        case atMost(Double)
        case atLeast(Double)
        /// The upper end of an interval in which the number all but certainly is; the lower end is the metric before.
        /// At most this: it passes. More, and the lower end too: it fails. Else nothing is known.
        case certainlyAtMost(Double)
    }

    let name: String
    let unit: String
    let bar: Bar
    /// Whether the number is what a proxy adds to the upstream called directly, in the same round.
    let isOverDirect: Bool

    init(_ name: String, _ unit: String, _ bar: Bar = .none, isOverDirect: Bool = false) {
        self.name = name
        self.unit = unit
        self.bar = bar
        self.isOverDirect = isOverDirect
    }
}
