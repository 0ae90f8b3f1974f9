/// One value that one task waits for, on one loop. Whoever comes first waits for the other.
package final class Waiter<Value> {
    @safe private enum State {
        case empty
        case waiting(UnsafeContinuation<Void, Never>)
        case fulfilled(Value)
    }

    private var state = State.empty

    package init() {}

    package var isFulfilled: Bool { if case .fulfilled = state { true } else { false } }

    /// Gives the value. Only the first counts.
    package func fulfil(_ value: Value) {
        switch state {
        case .empty: state = .fulfilled(value)
        case .waiting(let continuation):
            state = .fulfilled(value)
            unsafe continuation.resume()
        case .fulfilled: break
        }
    }

    /// Waits for the value. At most one task waits at a time; after that the waiter is empty again.
    package func wait() async -> Value {
        if case .empty = state {
            unsafe await withUnsafeContinuation { state = unsafe .waiting($0) }
        }
        guard case .fulfilled(let value) = state else { preconditionFailure("a waiter was resumed without a value") }
        state = .empty
        return value
    }
}
