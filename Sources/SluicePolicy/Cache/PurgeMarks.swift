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
    private let marks = Mutex<[PurgeTarget: Int]>([:])
    /// Above so many marks everything from before the latest counts as purged: the cache loses a little, and memory is bounded.
    private static let countMax = 1000

    package init() {}

    /// - Parameter time: in milliseconds since 1970.
    /// - Returns: whether that is news.
    package func add(_ target: PurgeTarget, at time: Int) -> Bool {
        marks.withLock { marks in
            if let known = marks[target], known >= time { return false }
            if marks.count >= Self.countMax, marks[target] == nil { marks = [.all: marks.values.max() ?? time] }
            marks[target] = max(marks[target] ?? 0, time)
            return true
        }
    }

    /// - Parameter created: in milliseconds since 1970.
    package func covers(_ key: CacheKey, created: Int, model: String, scene: String, tenant: String) -> Bool {
        marks.withLock { marks in
            if marks.isEmpty { return false }
            let names = [PurgeTarget.all, .key(key.prefix), .model(model), .scene(scene), .tenant(tenant)]
            return names.contains { marks[$0].map { created <= $0 } ?? false }
        }
    }

    package var count: Int { marks.withLock { $0.count } }
}
