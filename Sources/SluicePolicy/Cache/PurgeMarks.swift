internal import Synchronization

/// What an operator wants out of the cache.
package enum PurgeTarget: Sendable, Hashable {
    case all
    case key(CacheKey)
    case model(String)
    case scene(String)
    case tenant(String)

    /// As it is sent to other processes: a letter, a colon, and the name.
    package var text: String {
        switch self {
        case .all: "a:"
        case .key(let key): "k:" + key.text
        case .model(let name): "m:" + name
        case .scene(let name): "s:" + name
        case .tenant(let name): "t:" + name
        }
    }

    /// - Returns: `nil` for what `text` does not write.
    package init?(text: String) {
        let name = String(text.dropFirst(2))
        if text.hasPrefix("a:") { self = .all }
        else if text.hasPrefix("k:") {
            guard let key = CacheKey(hexadecimal: name) else { return nil }
            self = .key(key)
        } else if text.hasPrefix("m:") { self = .model(name) }
        else if text.hasPrefix("s:") { self = .scene(name) }
        else if text.hasPrefix("t:") { self = .tenant(name) }
        else { return nil }
    }

    package func matches(_ key: CacheKey, model: String, scene: String, tenant: String) -> Bool {
        switch self {
        case .all: true
        case .key(let wanted): wanted == key
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
    package func add(_ target: PurgeTarget, at time: Int) {
        marks.withLock { marks in
            if marks.count >= Self.countMax, marks[target] == nil { marks = [.all: marks.values.max() ?? time] }
            marks[target] = max(marks[target] ?? 0, time)
        }
    }

    /// - Parameter created: in milliseconds since 1970.
    package func covers(_ key: CacheKey, created: Int, model: String, scene: String, tenant: String) -> Bool {
        marks.withLock { marks in
            if marks.isEmpty { return false }
            let names = [PurgeTarget.all, .key(key), .model(model), .scene(scene), .tenant(tenant)]
            return names.contains { marks[$0].map { created <= $0 } ?? false }
        }
    }

    package var count: Int { marks.withLock { $0.count } }
}
