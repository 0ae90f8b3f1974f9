internal import SluicePipeline
internal import Synchronization

/// How short of memory the process is, by steps; written by the guard, read by the workers.
final class Pressure: Sendable {
    enum Level: UInt8, Comparable {
        case none, drain, refuseRequests, refuseConnections
        static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    private let raw = Atomic<UInt8>(0)

    var level: Level {
        get { Level(rawValue: raw.load(ordering: .relaxed)) ?? .none }
        set { raw.store(newValue.rawValue, ordering: .relaxed) }
    }
}
