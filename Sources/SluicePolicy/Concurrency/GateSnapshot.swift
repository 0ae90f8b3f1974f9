internal import SluiceCore

/// What a gate is for.
package struct GateID: Hashable, Sendable {
    package enum Kind: String, Sendable { case model, provider }

    package let kind: Kind
    package let name: String

    package init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }
}

/// What has happened at a gate since the process began; those who came in at once are not counted.
package struct GateCounts: Sendable, Equatable {
    /// Had to wait.
    package var queued = 0
    /// Were refused since the line was full.
    package var full = 0
    /// Lost their place in the line to a higher class.
    package var displaced = 0
    /// Waited for too long.
    package var timedOut = 0
    /// Left while they waited.
    package var gone = 0

    package init() {}
}

/// How it stands at a gate.
package struct GateSnapshot: Sendable {
    package let id: GateID
    package let settings: ConcurrencyGate.Settings
    package let inUse: Int
    /// By rank.
    package let waiting: [Int]
    package let counts: GateCounts
    /// How long a slot is held on average; zero if nobody knows.
    package let meanHold: Duration
}
