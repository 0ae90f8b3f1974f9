package import SluiceCore

/// Leaves a server alone that has failed, longer with every failure in a row: those who need it are told at once.
package struct Backoff: Sendable, Equatable {
    package static let first = Duration.seconds(1)
    package static let longest = Duration.seconds(60)

    package private(set) var failures = 0
    package private(set) var until: Instant?

    package init() {}

    package func isOpen(at now: Instant) -> Bool { until.map { now < $0 } ?? false }

    package mutating func succeed() { self = Backoff() }

    package mutating func fail(at now: Instant) {
        failures = min(failures + 1, 16)
        let wait = min(Self.first * (1 << (failures - 1)), Self.longest)
        until = now + wait
    }
}
