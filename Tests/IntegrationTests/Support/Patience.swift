import Foundation

/// How long the tests wait for an event before they call it missing. Never how long they wait for one that comes.
enum Patience {
    static let usual = Duration.seconds(20)

    static var deadline: ContinuousClock.Instant { .now + usual }
}

struct TimedOut: Error, CustomStringConvertible {
    let description: String
    init(_ what: String) { description = "timed out waiting for \(what)" }
}

/// Things that happen on other threads, in order, and can be waited for.
final class Recorder<Element: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var elements: [Element] = []

    var all: [Element] {
        condition.lock()
        defer { condition.unlock() }
        return elements
    }

    func record(_ element: Element) {
        condition.lock()
        elements.append(element)
        condition.broadcast()
        condition.unlock()
    }

    /// Waits for the first element that `matches`.
    @discardableResult
    func first(
        _ what: String, within patience: Duration = Patience.usual, where matches: (Element) -> Bool = { _ in true }
    ) throws -> Element {
        var seen = 0
        return try wait(what, patience) { elements in
            defer { seen = elements.count }
            return elements[seen...].first(where: matches)
        }
    }

    /// Waits until there are `count` elements, and returns them.
    @discardableResult
    func count(_ count: Int, _ what: String, within patience: Duration = Patience.usual) throws -> [Element] {
        try wait("\(count) of \(what)", patience) { $0.count >= count ? Array($0.prefix(count)) : nil }
    }

    private func wait<Found>(_ what: String, _ patience: Duration, _ find: ([Element]) -> Found?) throws -> Found {
        let limit = Date(timeIntervalSinceNow: patience / .seconds(1))
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let found = find(elements) { return found }
            if !condition.wait(until: limit) {
                if let found = find(elements) { return found }
                throw TimedOut(what)
            }
        }
    }
}

/// Work on a thread of its own, so that waiting there holds up nobody.
final class Background<Value: Sendable>: @unchecked Sendable {
    private let outcome = Recorder<Result<Value, any Error>>()

    init(_ work: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [outcome] in outcome.record(Result { try work() }) }
    }

    /// Waits for the end of the work.
    @discardableResult
    func value(within patience: Duration = Patience.usual * 3) throws -> Value {
        try outcome.first("work in the background", within: patience).get()
    }
}
