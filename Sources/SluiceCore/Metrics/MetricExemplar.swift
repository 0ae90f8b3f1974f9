internal import Synchronization

/// One request that a bucket has counted, so that whoever looks at a latency can look at a request that had it.
package struct MetricExemplar: Sendable, Equatable {
    package enum Identity: Sendable, Equatable {
        /// 32 hex digits of a W3C trace context.
        case trace(String)
        /// Of a request that is in no trace.
        case request(String)

        package var label: String {
            switch self {
            case .trace: "trace_id"
            case .request: "request_id"
            }
        }

        package var text: String {
            switch self {
            case .trace(let text), .request(let text): text
            }
        }

        /// Label names and values of an exemplar are 128 characters at most together (OpenMetrics 1.0, "Exemplars").
        static let charactersMax = 128

        var isShortEnough: Bool { label.utf8.count + text.utf8.count <= Self.charactersMax }
    }

    package let identity: Identity
    /// In the unit of the family.
    package let value: Double
    /// Since 1970.
    package let unixNanoseconds: Int64

    package init(_ identity: Identity, value: Double, unixNanoseconds: Int64) {
        self.identity = identity
        self.value = value
        self.unixNanoseconds = unixNanoseconds
    }
}

/// The latest exemplar of each bucket of one series, from one worker. Written about once a second at most; read by scrapes.
package final class ExemplarKeeper: Sendable {
    /// A few buckets of a series are ever used: a list is smaller than a place for each.
    private let kept = Mutex<[(bucket: Int, exemplar: MetricExemplar)]>([])

    func keep(_ exemplar: MetricExemplar, in bucket: Int) {
        kept.withLock { kept in
            if let place = kept.firstIndex(where: { $0.bucket == bucket }) {
                kept[place].exemplar = exemplar
            } else {
                kept.append((bucket, exemplar))
            }
        }
    }

    /// Puts what is kept here into its places, where it is later than what is there.
    func merge(into exemplars: inout [MetricExemplar?]) {
        for (bucket, exemplar) in kept.withLock({ $0 }) where exemplars.indices.contains(bucket) {
            if let there = exemplars[bucket], there.unixNanoseconds >= exemplar.unixNanoseconds { continue }
            exemplars[bucket] = exemplar
        }
    }
}
