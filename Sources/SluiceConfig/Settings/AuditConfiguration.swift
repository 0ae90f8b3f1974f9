/// The audit log: who changed what, which secrets were used, and who was refused.
package struct AuditConfiguration: Sendable, Equatable {
    /// Default true.
    package var isEnabled = true
    /// `nil`: the directory of `storage`, if there is one.
    package var directory: String?
    /// 64 KB to 1 GB. Default 64 MB.
    package var fileByteCountMax = 67_108_864
    /// 0 to 10,000; 0: all. Default 0.
    package var filesMax = 0
    /// 1 to 10,000. Default 10.
    package var refusedPerSecond = 10

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var audit = Self()
        audit.isEnabled = section.boolean(
            "enabled", default: audit.isEnabled, doc: "Whether there is an audit log. Takes effect at the start.")
        audit.directory = section.optional(
            "directory", .filePath,
            doc:
                "Where `audit.jsonl` and what belongs to it are written. null: `storage.directory`; without that nothing is audited. Takes effect at the start."
        )
        audit.fileByteCountMax = section.integer(
            "file_bytes_max", default: audit.fileByteCountMax, in: 65_536...1_073_741_824,
            doc: "How long the file grows before it is put away as `audit-NUMBER.jsonl` and another is begun.")
        audit.filesMax = section.integer(
            "files_max", default: audit.filesMax, in: 0...10_000,
            doc: "How many files that were put away are kept; the oldest goes first. 0: all.")
        audit.refusedPerSecond = section.integer(
            "refused_per_second", default: audit.refusedPerSecond, in: 1...10_000,
            doc: "How many refusals of a second are written one by one. The others are counted.")
        return audit
    }
}
