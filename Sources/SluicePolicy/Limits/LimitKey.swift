internal import SluiceCore

/// What divides a limit: every combination of these that occurs has a bucket of its own.
package struct LimitKey: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let user = LimitKey(rawValue: 1)
    package static let key = LimitKey(rawValue: 2)
    package static let role = LimitKey(rawValue: 4)
    package static let team = LimitKey(rawValue: 8)
    package static let businessLine = LimitKey(rawValue: 16)
    package static let address = LimitKey(rawValue: 32)
    package static let model = LimitKey(rawValue: 64)
    package static let route = LimitKey(rawValue: 128)
    package static let provider = LimitKey(rawValue: 256)

    /// In the order in which their values stand in a bucket's name.
    package static let all: [(part: LimitKey, name: String)] = [
        (.user, "user"), (.key, "key"), (.role, "role"), (.team, "team"), (.businessLine, "business_line"),
        (.address, "address"), (.model, "model"), (.route, "route"), (.provider, "provider"),
    ]

    /// Those that only a caller can tell.
    package static let callers: LimitKey = [.user, .key, .role, .team, .businessLine, .address]

    package var names: [String] { Self.all.filter { contains($0.part) }.map(\.name) }

    package init?(names: [String]) {
        self = []
        for name in names {
            guard let part = Self.all.first(where: { $0.name == name })?.part else { return nil }
            insert(part)
        }
    }
}

/// One request as limits see it.
package struct LimitSubject: Sendable {
    package var caller: Caller
    package var model: String
    /// The path as a template.
    package var route: String
    /// The provider that is asked now; empty before it is known.
    package var provider: String

    package init(caller: Caller = Caller(), model: String = "", route: String = "", provider: String = "") {
        self.caller = caller
        self.model = model
        self.route = route
        self.provider = provider
    }

    /// What is not said is empty: all that do not say it share a bucket.
    func value(of part: LimitKey) -> String {
        switch part {
        case .user: caller.user ?? ""
        case .key: caller.key ?? ""
        case .role: caller.role ?? ""
        case .team: caller.team ?? ""
        case .businessLine: caller.businessLine ?? ""
        case .address: IPAddress.network(of: caller.address)
        case .model: model
        case .route: route
        default: provider
        }
    }
}
