internal import SluiceCore

/// What is done about traces.
package struct TracesConfiguration: Sendable, Equatable {
    /// What is exported of what was said.
    package enum Bodies: String, Sendable, CaseIterable { case off, redacted, full }

    /// 0 to 1. Default 1.
    package var ratio = 1.0
    /// Default true.
    package var followsParents = true
    /// Default true.
    package var keepsErrors = true
    /// Default true.
    package var propagates = true
    /// Default true.
    package var showsInReplies = true
    /// Default off.
    package var bodies = Bodies.off
    /// 64 bytes to 64 KiB. Default 4 KiB.
    package var bodyByteCountMax = 4096

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var traces = Self()
        traces.ratio = section.number(
            "ratio", default: traces.ratio, in: 0...1, doc: "The share of the traces that begin here which is sampled.")
        traces.followsParents = section.boolean(
            "follow_parents", default: traces.followsParents,
            doc: "A request with a `traceparent` is sampled if its caller samples it. false: `ratio` decides for it too.")
        traces.keepsErrors = section.boolean(
            "keep_errors", default: traces.keepsErrors,
            doc: "Exports requests that failed, and those of which an attempt did, whether they are sampled or not.")
        traces.propagates = section.boolean(
            "propagate", default: traces.propagates,
            doc: "Sends `traceparent` and `tracestate` to providers. false: neither ours nor the application's goes there.")
        traces.showsInReplies = section.boolean(
            "reply_header", default: traces.showsInReplies, doc: "Puts a `traceparent` into replies.")
        traces.bodies = section.choice(
            "bodies", default: traces.bodies,
            doc:
                "Whether spans hold what was asked and answered: nothing (`off`), without credentials, addresses and numbers of people (`redacted`), or as it is (`full`).")
        traces.bodyByteCountMax = section.integer(
            "body_bytes_max", default: traces.bodyByteCountMax, in: 64...65_536,
            doc: "Of a request, and of a response, the beginning up to so many bytes is exported.")
        return traces
    }
}
