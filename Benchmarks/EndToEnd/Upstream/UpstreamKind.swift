/// What answers the requests of a row.
enum UpstreamKind: String, CaseIterable, Sendable {
    /// `sluice mock`: a whole provider.
    case mock
    /// The stand-in of `sluice-bench upstream`: canned bytes, at half of the mock's cost. For closed loops, in which the upstream and
    /// the load on one core have to be faster than the proxy on the other: a proxy that has to wait sleeps and wakes more often for
    /// the same work, which costs it up to a third more.
    case standIn = "stand-in"
}
