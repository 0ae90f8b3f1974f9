/// Records in a Redis stream, as the configuration says.
package struct RecordStreamSettings: Sendable, Equatable {
    /// Without the prefix.
    package var key = "records"
    package var lengthMax = 1_000_000
    /// What this node is called in its records.
    package var node = ""
    /// Whether this node takes the records of all of them.
    package var collects = false
    /// What a collector has read and not acknowledged for so long is another's to take.
    package var claimAfter = Duration.seconds(15)

    package init() {}
}
