package import SluiceConfig
package import SluiceCore

/// What is done about traces.
package struct TraceSettings: Sendable, Equatable {
    /// Of traces that begin here, 0 to 1.
    package var ratio = 1.0 { didSet { threshold = Self.threshold(ratio) } }
    /// A caller that has decided decides for us.
    package var followsParents = true
    /// What failed is exported, sampled or not.
    package var keepsErrors = true
    /// Providers are told.
    package var propagates = true
    /// Applications are told, in their replies.
    package var tellsApplications = true
    /// Somebody takes spans.
    package var isExporting = false
    /// Whether what was said goes with them.
    package var bodies = TracesConfiguration.Bodies.off
    /// Of each text; the rest is cut off.
    package var bodyByteCountMax = 4096
    private var threshold: UInt64 = 0

    package init() {}

    /// Whether a trace that begins here is recorded. All who decide so by its id decide alike: it is, if the last 56 bits of the id
    /// are not below what the ratio leaves out (OpenTelemetry, "TraceState: Probability Sampling").
    package func samples(_ id: TraceID) -> Bool { id.low & (Self.whole - 1) >= threshold }

    private static let whole: UInt64 = 1 << 56

    private static func threshold(_ ratio: Double) -> UInt64 {
        whole - UInt64((min(max(ratio, 0), 1) * Double(whole)).rounded())
    }
}
