/// How records are kept, as the configuration says.
package struct RecordStoreSettings: Sendable, Equatable {
    /// What happens to records when they come faster than they are written.
    package enum WhenFull: Sendable, Equatable {
        /// Those that find no room are not kept.
        case drop
        /// The same, but bodies go first: from half-full on, records are kept without them.
        case dropBodies
    }

    /// Where `records.db` is.
    package var directory: String
    /// A record is on the disk at most so long after its exchange: what a crash of the process can cost.
    package var commitInterval = Duration.milliseconds(200)
    package var queueMax = 10_000
    package var whenFull = WhenFull.dropBodies
    /// Older records go.
    package var retention = Duration.seconds(30 * 86_400)
    /// Sums by day stay longer than what they are made of.
    package var usageRetention = Duration.seconds(400 * 86_400)
    /// The oldest records go when the file is larger, in bytes.
    package var byteCountMax = 1 << 30
    /// Whether records go to a stream: what the stream has not got stays, as long as there is room for it.
    package var isShipped = false
    package var redactsBodies = false
    package var allowsPlainBodies = false
    /// The file never has more bytes, whatever the disk has room for; `nil`: no such bound.
    package var fileByteCountMax: Int?

    package var path: String { directory + "/records.db" }

    package init(directory: String) { self.directory = directory }
}

/// What the store of records says of itself.
package struct RecordStoreSnapshot: Sendable, Equatable {
    package var isOpen = false
    /// Why nothing is recorded at the moment; `nil` if it is.
    package var stopped: String?
    package var written = 0
    package var dropped = 0
    package var bodiesDropped = 0
    package var collected = 0
    /// That the stream has taken.
    package var shipped = 0
    /// Of the stream, that were no records.
    package var unreadable = 0
    package var commits = 0
    package var failures = 0
    package var expired = 0
    /// Of those, the ones that the stream has never got: there was no room to keep them until it had.
    package var expiredUnshipped = 0
    package var waiting = 0
    /// How old the oldest record of the last commit was when it was on the disk.
    package var lagMicros = 0
    /// How long commits took in all, in microseconds, and how many by upper bound.
    package var commitMicros = 0
    package var commitCounts = [Int](repeating: 0, count: Self.commitBounds.count + 1)
    /// In seconds.
    package static let commitBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

    package init() {}
}
