/// How long a model's answers may take, where that differs from what holds for all (`timeouts`).
package struct ModelTimeoutsConfiguration: Sendable, Equatable {
    package var connect: Duration?
    package var firstByte: Duration?
    package var firstToken: Duration?
    package var streamIdle: Duration?
    package var streamGap: Duration?
    /// Holds for an exchange that asked for this model, whatever answers it in the end.
    package var total: Duration?

    package init() {}

    package func applied(to common: TimeoutsConfiguration) -> TimeoutsConfiguration {
        var timeouts = common
        timeouts.connect = connect ?? common.connect
        timeouts.firstByte = firstByte ?? common.firstByte
        timeouts.firstToken = firstToken ?? common.firstToken
        timeouts.streamIdle = streamIdle ?? common.streamIdle
        timeouts.streamGap = streamGap ?? common.streamGap
        timeouts.total = total ?? common.total
        return timeouts
    }

    private static let dayMilliseconds = 86_400_000

    static func read(_ section: ConfigSection) -> Self {
        let day = dayMilliseconds
        func duration(_ key: String, _ range: ClosedRange<Int>) -> Duration? {
            section.optional(key, .milliseconds(in: range), doc: "null: as `timeouts.\(key)` says for all.")
        }
        var timeouts = Self()
        timeouts.connect = duration("connect_ms", 10...60_000)
        timeouts.firstByte = duration("first_byte_ms", 100...day)
        timeouts.firstToken = duration("first_token_ms", 100...day)
        timeouts.streamIdle = duration("stream_idle_ms", 100...day)
        timeouts.streamGap = duration("stream_gap_ms", 0...day)
        timeouts.total = duration("total_ms", 100...day)
        return timeouts
    }
}
