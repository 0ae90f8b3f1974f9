/// What of a request decides which target it always goes to.
package enum AffinityKey: Sendable, Equatable {
    case user, team, businessLine, key, address
    /// A field of the head, by its name in lower case.
    case header(String)

    /// Whether it depends on who asks.
    package var asksWhoCalls: Bool {
        if case .header = self { false } else { true }
    }

    /// - Returns: `nil` for a request that has no such thing.
    package func hash(of facts: some RouteFacts) -> UInt64? {
        let text: String? =
            switch self {
            case .user: facts.caller.user
            case .team: facts.caller.team
            case .businessLine: facts.caller.businessLine
            case .key: facts.caller.key
            case .address: facts.caller.address
            case .header(let name): facts.header(name)
            }
        guard let text, !text.isEmpty else { return nil }
        return Rendezvous.hash(text)
    }
}
