internal import SluiceCore
package import SluicePolicy

/// What `streams` of a configuration says.
extension StreamSettings {
    package static func read(_ section: ConfigSection) -> Self {
        var streams = Self()
        let ways = readWays(
            section,
            doc:
                "How an answer goes on that broke off after some of it went out: a model that can continues it (`prefill`), or the same answer comes once more (`splice`). []: not at all. null: in both ways, for models with more than one target."
        )
        if let ways { streams.rescue = streams.rescue.allowing(ways) }
        streams.rescue.attemptsMax = section.integer(
            "rescue_attempts_max", default: streams.rescue.attemptsMax, in: 0...10,
            doc: "Requests that are sent for the sake of one stream that broke off.")
        streams.rescue.byteCountMax = section.integer(
            "rescue_bytes_max", default: streams.rescue.byteCountMax, in: 1024...67_108_864,
            doc: "What is kept of an answer for its rescue. A longer one is not rescued.")
        streams.rescue.heldByteCountMax = section.integer(
            "hold_bytes_max", default: streams.rescue.heldByteCountMax, in: 0...1_048_576,
            doc: "What a provider may send before its answer begins without anything going out.")
        streams.rescue.heldEventCountMax = section.integer(
            "hold_events_max", default: streams.rescue.heldEventCountMax, in: 0...10_000, doc: "The same, in events.")
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
    static func readWays(_ section: ConfigSection, doc: String) -> RescuePolicy.Ways? {
        section.optional("rescue", .ways, doc: doc)
    }
}

extension ConfigRule where Value == RescuePolicy.Ways {
    static var ways: ConfigRule {
        let known = RescueStep.Way.allCases.map(\.rawValue).joined(separator: ", ")
        return ConfigRule(type: "list of choices", allowed: "a list of \(known)", placeholder: []) {
            value, context throws(ConfigRefusal) in
            var elements = [value]
            if case .list(let all) = value.kind { elements = all }
            var ways: Value = []
            for element in elements {
                guard let way = RescueStep.Way(rawValue: try context.text(of: element)) else { throw .notAllowed }
                ways.insert(Value(way))
            }
            return ways
        } show: { ways in
            .list(RescueStep.Way.allCases.filter { ways.contains(Value($0)) }.map { ConfigValue(.string($0.rawValue)) })
        }
    }
}
