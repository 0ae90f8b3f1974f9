internal import SluiceConfig
internal import SluicePipeline
internal import SluicePolicy

/// Turns `streams` of the configuration into what the request path uses.
enum StreamsBuilder {
    static func settings(_ configuration: ServerConfiguration) -> StreamSettings {
        let streams = configuration.streams
        var settings = StreamSettings()
        settings.rescue.attemptsMax = streams.rescueAttemptsMax
        settings.rescue.byteCountMax = streams.rescueByteCountMax
        settings.rescue.heldByteCountMax = streams.heldByteCountMax
        settings.rescue.heldEventCountMax = streams.heldEventCountMax
        if let ways = streams.rescue { settings.rescue = policy(ways, settings.rescue) }
        settings.gap = configuration.timeouts.streamGap
        settings.drainTime = streams.drainTime
        settings.drainByteCountMax = streams.drainByteCountMax
        settings.drainsMax = streams.drainsMax
        return settings
    }

    /// What a model's own `rescue` makes of what holds for all.
    static func policy(_ ways: [StreamsConfiguration.Way], _ common: RescuePolicy) -> RescuePolicy {
        var policy = common
        policy.ways = []
        for way in ways { policy.ways.insert(way == .prefill ? .prefill : .splice) }
        policy.includesSingleTargets = true
        return policy
    }
}
