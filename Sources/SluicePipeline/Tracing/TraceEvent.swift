internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePolicy

/// Something that happened within an exchange, for its span.
struct TraceEvent {
    enum Kind {
        /// A target is left alone from now on.
        case breakerOpened(provider: String, model: String)
        /// A stream that broke off is gone on with.
        case rescue(way: RescueStep.Way)
    }

    let kind: Kind
    let at: Instant

    /// More than so many are not kept.
    static let countMax = 32
}

extension RequestContext {
    /// Whether anybody will want to know what happens within the exchange.
    var isTraced: Bool {
        guard let trace, let tracing = snapshot.tracing, tracing.isExporting else { return false }
        return trace.isSampled || tracing.keepsErrors
    }

    func note(_ kind: TraceEvent.Kind) {
        if !isTraced || traceEvents.count >= TraceEvent.countMax { return }
        traceEvents.append(TraceEvent(kind: kind, at: exchange.loop.now))
    }
}
