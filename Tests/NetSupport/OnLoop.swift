internal import SluiceCore
package import SluiceNet

/// Runs `body` as a task on an event loop with a thread of its own, and stops the loop afterwards.
///
/// What `body` makes belongs to that loop, as it does in the proxy.
@discardableResult package func onLoop<Result: Sendable>(
    _ body: @escaping @Sendable (EventLoop) async throws -> Result
) async throws -> Result {
    let loop = try EventLoop()
    Thread.start("test-loop") { loop.run() }
    defer { loop.execute { loop.stop() } }
    return try await Task(executorPreference: loop) { try await body(loop) }.value
}

/// Waits, a millisecond at a time, until something holds.
///
/// - Returns: whether it did within the time.
@discardableResult package func eventually(
    within time: Duration = .seconds(5), _ condition: () throws -> Bool
) async rethrows -> Bool {
    let deadline = EventLoop.readClock() + time
    while try !condition() {
        if EventLoop.readClock() >= deadline { return false }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return true
}
