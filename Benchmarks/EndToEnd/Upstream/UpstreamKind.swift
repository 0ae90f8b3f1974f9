/// What answers the requests of a row.
enum UpstreamKind: String, CaseIterable, Sendable {
    /// `sluice mock`: a whole provider.
    case mock
    /// The stand-in of `sluice-bench upstream`: canned bytes. For rows in which the upstream's own cost, on the core that it shares
    /// with the load, would decide how busy the proxy can be.
    case standIn = "stand-in"
}
