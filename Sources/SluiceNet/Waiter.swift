/// One value that one task waits for, on one loop. Whoever comes first waits for the other.
package final class Waiter<Value> {
    private var value: Value?
    private var signal = TaskSignal()

    package init() {}

    package var isFulfilled: Bool { value != nil }

    /// Gives the value. Only the first counts.
    package func fulfil(_ value: Value) {
        if self.value != nil { return }
        self.value = value
        signal.give()
    }

    /// Waits for the value. At most one task waits at a time; after that the waiter is empty again.
    package func wait() async -> Value {
        while true {
            if let value {
                self.value = nil
                return value
            }
            unsafe await withUnsafeContinuation { unsafe signal.wait($0) }
        }
    }
}
