/// What is kept of every exchange, and for how long.
package struct RecordsConfiguration: Sendable, Equatable {
    /// What is kept of what was said.
    package enum Bodies: String, Sendable, CaseIterable {
        /// Nothing.
        case off
        /// The request's parameters, without its texts.
        case metadata
        /// Requests and responses, without what names or unlocks.
        case redacted
        /// Requests and responses as they are.
        case full
    }

    package enum WhenFull: String, Sendable, CaseIterable {
        case drop
        case dropBodies = "drop_bodies"
    }

    /// Records in a Redis stream, for whoever collects them.
    package struct Stream: Sendable, Equatable {
        /// After the prefix of `redis`.
        package var key = "records"
        /// 1000 to 100000000. Default 1000000.
        package var lengthMax = 1_000_000
        /// Of this node, in the records; `nil`: the host's name.
        package var node: String?

        package init() {}
    }

    /// Default metadata.
    package var bodies = Bodies.metadata
    /// Of a request and of a response each. 1 KiB to 16 MiB. Default 64 KiB.
    package var bodyByteCountMax = 65_536
    /// Whether bodies may be kept where there is no key to seal them with.
    package var allowsPlainBodies = false
    /// 1 to 3650. Default 30.
    package var retentionDays = 30
    /// 1 to 3650. Default 400.
    package var usageRetentionDays = 400
    /// 1 MiB to 1 TiB. Default 1 GiB.
    package var byteCountMax = 1 << 30
    /// 10 ms to 10 s. Default 200 ms.
    package var commitInterval = Duration.milliseconds(200)
    /// 100 to 1000000. Default 10000.
    package var queueMax = 10_000
    package var whenFull = WhenFull.dropBodies
    /// `nil`: they stay here.
    package var stream: Stream?
    /// Whether this node takes the records of all others from the stream.
    package var collects = false

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var records = Self()
        records.bodies = section.choice(
            "bodies", default: records.bodies,
            doc:
                "What is kept of what was said: nothing (`off`), the request's parameters without its texts (`metadata`), requests and responses without credentials, addresses and numbers of people (`redacted`), or all of it (`full`).")
        records.bodyByteCountMax = section.integer(
            "body_bytes_max", default: records.bodyByteCountMax, in: 1024...16_777_216,
            doc: "Of a request, and of a response, the beginning up to so many bytes is kept.")
        records.allowsPlainBodies = section.boolean(
            "plain_bodies", default: records.allowsPlainBodies,
            doc: "Keeps `full` bodies also where `secrets` has no key to seal them with.")
        records.retentionDays = section.integer(
            "retention_days", default: records.retentionDays, in: 1...3650, doc: "Records that are older are deleted.")
        records.usageRetentionDays = section.integer(
            "usage_retention_days", default: records.usageRetentionDays, in: 1...3650,
            doc: "Sums by day, user, team and model that are older are deleted.")
        records.byteCountMax = section.integer(
            "size_max", default: records.byteCountMax, in: 1_048_576...1_099_511_627_776,
            doc: "When the file is larger, the oldest records are deleted.")
        records.commitInterval = section.duration(
            "commit_interval_ms", default: records.commitInterval, in: 10...10_000,
            doc: "A record is written at most so long after its exchange: what is lost when the process is killed.")
        records.queueMax = section.integer(
            "queue_max", default: records.queueMax, in: 100...1_000_000,
            doc: "Records that wait to be written. What comes when they are so many is not kept, and counted.")
        records.whenFull = section.choice(
            "when_full", default: records.whenFull,
            doc:
                "`drop`: records that find no room are not kept. `drop_bodies`: the same, but from half of `queue_max` on records are kept without bodies.")
        records.stream = section.optionalSection(
            "stream", doc: "Puts every record into a Redis stream as well. null: they stay on this node.", Stream.read)
        records.collects = section.boolean(
            "collect", default: records.collects,
            doc: "Takes the records of all nodes from the stream, and keeps them here. One node or a few do this.")
        if records.collects, records.stream == nil { section.mistake("collect", "`collect` needs `stream`, from which it takes") }
        return records
    }
}

extension RecordsConfiguration.Stream {
    static func read(_ section: ConfigSection) -> Self {
        var stream = Self()
        stream.key = section.string(
            "key", default: stream.key, bytes: 1...128, doc: "The stream's key, after the prefix of `redis`.")
        stream.lengthMax = section.integer(
            "length_max", default: stream.lengthMax, in: 1000...100_000_000,
            doc: "About so many records stay in the stream; older ones are gone whether they were collected or not.")
        stream.node = section.optionalString(
            "node", bytes: 1...128, doc: "What this node is called in its records. null: as the host is.")
        return stream
    }
}
