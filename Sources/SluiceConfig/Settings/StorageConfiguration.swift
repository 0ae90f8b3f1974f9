/// Where what is to outlive the process is kept.
package struct StorageConfiguration: Sendable, Equatable {
    /// Made if it is not there, for the user of the process alone.
    package var directory = ""

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var storage = Self()
        storage.directory = section.requiredString(
            "directory", bytes: 2...1024,
            doc:
                "An absolute path on a disk of this machine, of this Sluice alone: SQLite's files do not belong on a network share. It is made if it is not there.")
        if !section.isDescribing, !storage.directory.hasPrefix("/") { section.mistake("directory", "an absolute path, found \(section.written("directory"))") }
        while storage.directory.count > 1, storage.directory.hasSuffix("/") { storage.directory.removeLast() }
        return storage
    }
}
