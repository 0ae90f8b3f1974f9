internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet

/// Where requests on any loop come to with what is the control loop's: the center is reached through it alone.
///
/// `@unchecked Sendable`: the center is set before anything is served, and used on the control loop only.
final class ControlDesk: @unchecked Sendable {
    private let loop: EventLoop
    private unowned let center: ControlCenter
    private static let patience = Duration.seconds(30)

    init(_ center: ControlCenter, on loop: EventLoop) {
        self.center = center
        self.loop = loop
    }

    /// Runs `work` on the control loop. To be called on a loop, where it returns.
    func ask<Value: Sendable>(
        _ work: @escaping @Sendable (ControlCenter) async -> Value
    ) async throws(ManagementError) -> Value {
        try await Errand.run(within: Self.patience) { done in
            self.loop.execute {
                self.loop.spawn { done(await work(self.center)) }
            }
            return true
        }
    }

    func make(_ edit: ControlEdit) async throws(ManagementError) -> ControlOutcome {
        try await ask { await $0.make(edit) }.get()
    }

    /// What there is to be seen: at one moment.
    struct View: Sendable {
        let state: ControlState
        let store: ControlStore?
        let clerk: Clerk
        let settings: ControlConfiguration
        let node: String
        let layered: LayeredConfiguration
    }

    func view() async throws(ManagementError) -> View { try await ask { $0.view } }

    /// Asks the store, on the clerk's thread; without one there is nothing in it.
    func read<Value: Sendable>(
        _ view: View, default fallback: Value, _ work: @escaping @Sendable (ControlStore) throws -> Value
    ) async throws(ManagementError) -> Value {
        guard let store = view.store else { return fallback }
        let result = try await view.clerk.run { () -> Result<Value, ManagementError> in
            do {
                return .success(try work(store))
            } catch {
                return .failure(ManagementError(.storageUnavailable, "\(error)"))
            }
        }
        return try result.get()
    }
}
