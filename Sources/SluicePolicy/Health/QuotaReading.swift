internal import Synchronization

/// What a provider last said is left of its limits for a target. Shared by all workers.
package final class QuotaReading: Sendable {
    package enum Unit: Int, CaseIterable, Sendable {
        case requests, tokens
        case inputTokens, outputTokens

        package var name: String {
            switch self {
            case .requests: "requests"
            case .tokens: "tokens"
            case .inputTokens: "input_tokens"
            case .outputTokens: "output_tokens"
            }
        }
    }

    /// By unit; negative: never told.
    private let remaining: [Cell] = Unit.allCases.map { _ in Cell() }
    private let limit: [Cell] = Unit.allCases.map { _ in Cell() }
    private let readAt = Atomic<Int64>(.min)

    private final class Cell: Sendable { let value = Atomic<Int>(-1) }

    package init() {}

    /// Fields are looked at no more often than this, in nanoseconds.
    private static let readEvery: Int64 = 100_000_000

    /// Whether it is worth looking at a response's fields; whoever is told so does it.
    ///
    /// - Parameter now: nanoseconds on the monotonic clock.
    package func isDue(at now: Int64) -> Bool {
        let last = readAt.load(ordering: .relaxed)
        if last > .min, now - last < Self.readEvery { return false }
        return readAt.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged
    }

    package func note(remaining count: Int, of unit: Unit) { remaining[unit.rawValue].value.store(count, ordering: .relaxed) }
    package func note(limit count: Int, of unit: Unit) { limit[unit.rawValue].value.store(count, ordering: .relaxed) }

    /// `nil` if the provider has not said.
    package func remaining(_ unit: Unit) -> Int? { Self.told(remaining[unit.rawValue]) }
    package func limit(_ unit: Unit) -> Int? { Self.told(limit[unit.rawValue]) }

    private static func told(_ cell: Cell) -> Int? {
        let count = cell.value.load(ordering: .relaxed)
        return count < 0 ? nil : count
    }
}
