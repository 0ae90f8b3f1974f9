internal import Synchronization

/// What an operator wants out of the cache.
package enum PurgeTarget: Sendable, Hashable {
    case all
    /// By the first 16 digits of its name.
    case key(String)
    case model(String)
    case scene(String)
    case tenant(String)

    /// As it is sent to other processes: a letter, a colon, and the name.
    package var text: String {
        switch self {
        case .all: "a:"
        case .key(let prefix): "k:" + prefix
        case .model(let name): "m:" + name
        case .scene(let name): "s:" + name
        case .tenant(let name): "t:" + name
        }
    }

    /// - Returns: `nil` for what `text` does not write.
    package init?(text: String) {
        let name = String(text.dropFirst(2))
        switch text.prefix(2) {
        case "a:": self = .all
        case "k:": self = .key(name)
        case "m:": self = .model(name)
        case "s:": self = .scene(name)
        case "t:": self = .tenant(name)
        default: return nil
        }
    }

    package func matches(_ key: CacheKey, model: String, scene: String, tenant: String) -> Bool {
        switch self {
        case .all: true
        case .key(let prefix): prefix == key.prefix
        case .model(let name): name == model
        case .scene(let name): name == scene
        case .tenant(let name): name == tenant
        }
    }
}

/// What was purged, and when: what Redis still holds from before is no answer any more.
package final class PurgeMarks: Sendable {
    private struct Mark {
        /// As it was told, by a clock that may be ahead of ours.
        var told: Int
        /// No later than it became known.
        var time: Int
    }

    private let marks = Mutex<[PurgeTarget: Mark]>([:])
    /// Above so many marks everything from before the latest counts as purged: the cache loses a little, and memory is bounded.
    package static let countMax = 1000

    package init() {}

    /// - Parameters:
    ///   - time: when it was purged, in milliseconds since 1970.
    ///   - now: the same as we have it: nothing is purged that is still to come.
    /// - Returns: whether that is news.
    package func add(_ target: PurgeTarget, at time: Int, now: Int) -> Bool {
        marks.withLock { marks in
            for known in [marks[target], marks[.all]] {
                if let known, known.told == time || known.time >= time { return false }
            }
            if marks.count >= Self.countMax, marks[target] == nil {
                let told = marks.values.reduce(time) { max($0, $1.told) }
                marks = [.all: Mark(told: told, time: min(told, now))]
                return true
            }
            marks[target] = Mark(told: time, time: max(marks[target]?.time ?? 0, min(time, now)))
            return true
        }
    }

    /// - Parameter created: in milliseconds since 1970.
    package func covers(_ key: CacheKey, created: Int, model: String, scene: String, tenant: String) -> Bool {
        marks.withLock { marks in
            if marks.isEmpty { return false }
            let names = [PurgeTarget.all, .key(key.prefix), .model(model), .scene(scene), .tenant(tenant)]
            return names.contains { marks[$0].map { created <= $0.time } ?? false }
        }
    }

    package var count: Int { marks.withLock { $0.count } }
}
