/// Where what has to last is kept.
package struct StorageConfiguration: Sendable, Equatable {
    /// Made if it is not there.
    package var directory = ""

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var storage = Self()
        storage.directory = section.requiredString(
            "directory", doc: "A directory of this process alone; made if it is not there.")
        return storage
    }
}
