package import SluiceCore

/// Leaves a server alone that has failed, longer with every failure in a row: those who need it are told at once.
package struct Backoff: Sendable, Equatable {
    package static let first = Duration.seconds(1)
    package static let longest = Duration.seconds(60)

    /// How many failures in a row are nothing yet.
    private let tolerance: Int
    package private(set) var failures = 0
    package private(set) var until: Instant?

    package init(tolerating tolerance: Int = 0) { self.tolerance = tolerance }

    package func isOpen(at now: Instant) -> Bool { until.map { now < $0 } ?? false }

    package mutating func succeed() { self = Backoff(tolerating: tolerance) }

    package mutating func fail(at now: Instant) {
        failures = min(failures + 1, 16)
        if failures <= tolerance { return }
        let wait = min(Self.first * (1 << (failures - tolerance - 1)), Self.longest)
        until = now + wait
    }
}
