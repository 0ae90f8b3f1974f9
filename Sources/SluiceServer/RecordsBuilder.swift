internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluicePipeline
internal import SluiceStorage
internal import SluiceTLS

/// What the configuration says of records, for the workers and for the store.
enum RecordsBuilder {
    static func settings(_ configuration: ServerConfiguration) throws(ConfigErrors) -> RecordSettings? {
        guard let records = configuration.records else { return nil }
        if records.bodies == .full, configuration.secrets?.keys.currentID == nil, !records.allowsPlainBodies {
            throw ConfigErrors([
                ConfigMistake(
                    path: "records.bodies", location: nil,
                    message: """
                        `full` needs a key in `secrets` to seal what was said, or `plain_bodies: true` if it may be on \
                        the disk as it is
                        """)
            ])
        }
        var settings = RecordSettings()
        settings.keepsParameters = records.bodies != .off
        settings.keepsBodies = records.bodies == .redacted || records.bodies == .full
        settings.bodyByteCountMax = records.bodyByteCountMax
        return settings
    }

    /// - Returns: `nil` if nothing is recorded.
    static func store(_ configuration: ServerConfiguration) -> RecordStoreSettings? {
        guard let records = configuration.records, let storage = configuration.storage else { return nil }
        var settings = RecordStoreSettings(directory: storage.directory)
        settings.commitInterval = records.commitInterval
        settings.queueMax = records.queueMax
        settings.whenFull = records.whenFull == .drop ? .drop : .dropBodies
        settings.retention = .seconds(records.retentionDays * 86_400)
        settings.usageRetention = .seconds(records.usageRetentionDays * 86_400)
        settings.byteCountMax = records.byteCountMax
        settings.isShipped = records.stream != nil
        settings.redactsBodies = records.bodies == .redacted
        // What is redacted may be on the disk as it is; what is not may only where that was said.
        settings.allowsPlainBodies = records.bodies == .redacted || records.allowsPlainBodies
        return settings
    }

    /// - Returns: `nil` if records stay where they are.
    static func stream(_ configuration: ServerConfiguration) -> RecordStreamSettings? {
        guard let records = configuration.records, let stream = records.stream else { return nil }
        var settings = RecordStreamSettings()
        settings.key = stream.key
        settings.lengthMax = stream.lengthMax
        settings.node = stream.node ?? hostName
        settings.collects = records.collects
        return settings
    }

    static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "sluice" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
