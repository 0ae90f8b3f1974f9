internal import Synchronization

/// A request, or a question to the admin port, that was not let in.
package struct RefusedAccess: Sendable {
    /// Why, from a closed set: a `CredentialRefusal`, or the `code` of the 403.
    package var reason: String
    package var status: Int
    /// Who it was, or whose credential it would have been; `nil` if nobody knows.
    package var principal: String?
    package var address: String
    /// The path as a template.
    package var route: String
    package var model: String?
    package var requestID: String?

    package init(
        reason: String, status: Int, principal: String?, address: String, route: String, model: String? = nil,
        requestID: String? = nil
    ) {
        self.reason = reason
        self.status = status
        self.principal = principal
        self.address = address
        self.route = route
        self.model = model
        self.requestID = requestID
    }
}

/// Counts who was not let in, and tells whoever wants to know. Shared by all workers.
package final class AccessWatch: Sendable {
    package struct Counts: Sendable, Equatable {
        /// Without a credential that counts: 400 and 401.
        package var unauthenticated = 0
        /// 403.
        package var forbidden = 0
        /// 429, after too many failures.
        package var limited = 0
    }

    package let failures = FailedAttempts()
    private let unauthenticated = Atomic<Int>(0)
    private let forbidden = Atomic<Int>(0)
    private let limited = Atomic<Int>(0)
    private let handler = Mutex<(@Sendable (RefusedAccess) -> Void)?>(nil)

    package init() {}

    /// - Parameter handler: called on workers, which it must not keep.
    package func onRefused(_ handler: @escaping @Sendable (RefusedAccess) -> Void) {
        self.handler.withLock { $0 = handler }
    }

    package func refused(_ event: RefusedAccess) {
        switch event.status {
        case 403: forbidden.add(1, ordering: .relaxed)
        case 429: limited.add(1, ordering: .relaxed)
        default: unauthenticated.add(1, ordering: .relaxed)
        }
        handler.withLock { $0 }?(event)
    }

    package var snapshot: Counts {
        var counts = Counts()
        counts.unauthenticated = unauthenticated.load(ordering: .relaxed)
        counts.forbidden = forbidden.load(ordering: .relaxed)
        counts.limited = limited.load(ordering: .relaxed)
        return counts
    }
}
