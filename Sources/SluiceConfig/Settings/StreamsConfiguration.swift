/// How streams are looked after whose provider fails, or whose application goes.
package struct StreamsConfiguration: Sendable, Equatable {
    /// A way of going on with an answer that broke off.
    package enum Way: String, Sendable, CaseIterable { case prefill, splice }

    /// `nil`: all, for models with more than one target.
    package var rescue: [Way]?
    /// 0 to 10 requests.
    package var rescueAttemptsMax = 4
    /// 1 KB to 64 MB.
    package var rescueByteCountMax = 1_048_576
    /// 0 to 1 MB.
    package var heldByteCountMax = 16_384
    /// 0 to 10000.
    package var heldEventCountMax = 64
    /// 1 s to 10 min.
    package var drainTime = Duration.seconds(30)
    /// 1 KB to 64 MB.
    package var drainByteCountMax = 1_048_576
    /// 0 to 10000.
    package var drainsMax = 64

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var streams = Self()
        streams.rescue = readWays(
            section,
            doc:
                "How an answer goes on that broke off after some of it went out: a model that can continues it (`prefill`), or the same answer comes once more (`splice`). []: not at all. null: in both ways, for models with more than one target."
        )
        streams.rescueAttemptsMax = section.integer(
            "rescue_attempts_max", default: streams.rescueAttemptsMax, in: 0...10,
            doc: "Requests that are sent for the sake of one stream that broke off.")
        streams.rescueByteCountMax = section.integer(
            "rescue_bytes_max", default: streams.rescueByteCountMax, in: 1024...67_108_864,
            doc: "What is kept of an answer for its rescue. A longer one is not rescued.")
        streams.heldByteCountMax = section.integer(
            "hold_bytes_max", default: streams.heldByteCountMax, in: 0...1_048_576,
            doc: "What a provider may send before its answer begins without anything going out.")
        streams.heldEventCountMax = section.integer(
            "hold_events_max", default: streams.heldEventCountMax, in: 0...10_000, doc: "The same, in events.")
        streams.drainTime = section.duration(
            "drain_ms", default: streams.drainTime, in: 1000...600_000,
            doc: "How long an answer is read that nobody wants any more, where a provider's `on_client_gone` says so.")
        streams.drainByteCountMax = section.integer(
            "drain_bytes_max", default: streams.drainByteCountMax, in: 1024...67_108_864,
            doc: "How much of it is read.")
        streams.drainsMax = section.integer(
            "drains_max", default: streams.drainsMax, in: 0...10_000,
            doc: "How many are read at one time. Others are closed at once.")
        return streams
    }

    /// - Returns: `nil` if nothing is said.
    static func readWays(_ section: ConfigSection, doc: String) -> [Way]? {
        section.optional("rescue", .ways, doc: doc)
    }
}

extension ConfigRule where Value == [StreamsConfiguration.Way] {
    static var ways: ConfigRule {
        let known = StreamsConfiguration.Way.allCases.map(\.rawValue).joined(separator: ", ")
        return ConfigRule(type: "list of choices", allowed: "a list of \(known)", placeholder: []) {
            value, context throws(ConfigRefusal) in
            var elements = [value]
            if case .list(let all) = value.kind { elements = all }
            var ways: Value = []
            for element in elements {
                guard let way = StreamsConfiguration.Way(rawValue: try context.text(of: element)) else { throw .notAllowed }
                if !ways.contains(way) { ways.append(way) }
            }
            return ways
        } show: { ways in
            .list(ways.map { ConfigValue(.string($0.rawValue)) })
        }
    }
}
