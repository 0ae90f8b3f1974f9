internal import CAllocations

/// Measures pieces of code and prints a line for each: `measure("json/scan", bytes: 300) { … }`.
///
/// A case is run in batches of about two milliseconds for a quarter of a second, and the fastest batch counts:
/// whatever else the machine did only ever adds time.
struct Measure {
    private static let batchNanoseconds: Int64 = 2_000_000
    private static let totalNanoseconds: Int64 = 250_000_000
    /// Only cases whose name starts with this are run.
    let prefix: String

    /// - Parameter bytes: how many bytes one run goes through; 0 if that says nothing.
    func callAsFunction(_ name: String, bytes: Int = 0, _ body: () -> Void) {
        guard name.hasPrefix(prefix) else { return }
        let clock = ContinuousClock()
        func time(_ runs: Int) -> Int64 {
            let parts = clock.measure { for _ in 0..<runs { body() } }.components
            return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        }
        var runs = 1
        while time(runs) < Self.batchNanoseconds { runs *= 2 }
        let before = callocations_count()
        for _ in 0..<runs { body() }
        let allocations = Double(callocations_count() - before) / Double(runs)
        var best = Int64.max
        var total: Int64 = 0
        while total < Self.totalNanoseconds {
            let nanoseconds = time(runs)
            best = min(best, nanoseconds)
            total += nanoseconds
        }
        report(name, nanoseconds: Double(best) / Double(runs), bytes: bytes, allocations: allocations)
    }

    private func report(_ name: String, nanoseconds: Double, bytes: Int, allocations: Double) {
        let speed = bytes == 0 ? "" : "\(Int(Double(bytes) * 1000 / nanoseconds)) MB/s"
        let columns = [(name, 36), (Self.oneDecimal(nanoseconds) + " ns", 14), (speed, 14)]
        let line = columns.map { text, width in text + String(repeating: " ", count: max(1, width - text.count)) }
        print(line.joined() + Self.oneDecimal(allocations) + " allocations")
    }

    private static func oneDecimal(_ number: Double) -> String {
        let tenths = Int(number * 10 + 0.5)
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// Keeps the optimizer from leaving out the work that made `value`.
@inline(never) func keep<T: ~Copyable>(_ value: borrowing T) {}
