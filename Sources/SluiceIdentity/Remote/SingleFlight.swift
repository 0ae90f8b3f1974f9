package import SluiceNet
internal import Synchronization

/// Work that several ask for at one time, on whatever loops, is done once, and all of them are told how it went.
package final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    @safe private struct Waiter: Sendable {
        let task: UnsafeContinuation<Value, Never>
    }

    /// Those who wait, by what they wait for.
    private let flights = Mutex<[Key: [Waiter]]>([:])
    private let countMax: Int
    private let waitersMax: Int

    /// - Parameters:
    ///   - countMax: works under way at one time.
    ///   - waitersMax: of one of them.
    package init(countMax: Int, waitersMax: Int = 4096) {
        self.countMax = countMax
        self.waitersMax = waitersMax
    }

    private enum Place { case leads, follows, full }

    /// To be called on a loop. The work has a task of its own: it goes on if whoever asked first goes away.
    ///
    /// - Parameter work: bounded in time by itself; runs on the caller's loop.
    /// - Returns: `overflow` at once where too much is under way.
    package func value(
        for key: Key, on loop: EventLoop, overflow: Value, _ work: @escaping () async -> Value
    ) async -> Value {
        unsafe await withUnsafeContinuation { task in
            let waiter = unsafe Waiter(task: task)
            switch join(key, waiter) {
            case .full: unsafe task.resume(returning: overflow)
            case .follows: break
            case .leads: loop.spawn { [self] in land(key, await work()) }
            }
        }
    }

    /// Has the work done, unless it is under way already; nobody waits.
    package func start(_ key: Key, on loop: EventLoop, _ work: @escaping () async -> Value) {
        let leads = flights.withLock { flights in
            if flights[key] != nil || flights.count >= countMax { return false }
            flights[key] = []
            return true
        }
        if leads { loop.spawn { [self] in land(key, await work()) } }
    }

    private func join(_ key: Key, _ waiter: Waiter) -> Place {
        flights.withLock { flights in
            guard let count = flights[key]?.count else {
                if flights.count >= countMax { return .full }
                flights[key] = [waiter]
                return .leads
            }
            if count >= waitersMax { return .full }
            flights[key]?.append(waiter)
            return .follows
        }
    }

    private func land(_ key: Key, _ value: Value) {
        let waiters = flights.withLock { $0.removeValue(forKey: key) } ?? []
        for waiter in waiters { unsafe waiter.task.resume(returning: value) }
    }
}
