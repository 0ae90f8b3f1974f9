internal import Synchronization

/// Tells whoever operates Sluice when somebody who knows about identities stops answering, and when he answers again.
/// From any thread.
package final class IdentityNotices: Sendable {
    package enum Notice: Sendable, Equatable {
        /// - Parameter name: the issuer, or what it is asked for.
        case failing(name: String, reason: String)
        case recovered(name: String)
    }

    private let handler = Mutex<(@Sendable (Notice) -> Void)?>(nil)

    package init() {}

    package func onNotice(_ body: @escaping @Sendable (Notice) -> Void) { handler.withLock { $0 = body } }

    func tell(_ notice: Notice) { handler.withLock { $0 }?(notice) }
}
