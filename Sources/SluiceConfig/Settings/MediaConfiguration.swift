/// Images that requests name by URL, for providers that take them as data alone.
package struct MediaConfiguration: Sendable, Equatable {
    /// Default false: a caller would choose where we connect to.
    package var fetchesURLs = false
    /// Hosts that may be asked; `*.example.com` are those below. Empty: all of the public internet.
    package var hosts: [String] = []
    /// Default false.
    package var allowsPrivateAddresses = false
    /// Of one image, 1 KB to 100 MB.
    package var byteCountMax = 20_971_520
    /// Of one request, 1 to 100.
    package var countMax = 16
    /// For one image, 100 ms to 2 min.
    package var timeout = Duration.seconds(10)

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var media = Self()
        media.fetchesURLs = section.boolean(
            "fetch_urls", default: media.fetchesURLs,
            doc:
                "Fetches images that requests name by URL, for providers that take them as data alone. Off: such an image is lost, see `unsupported`."
        )
        media.hosts = section.strings(
            "hosts", bytes: 1...253, count: 0...1000,
            doc: "Hosts that may be asked; `*.example.com` are those below. Empty: all of the public internet."
        ).map { $0.lowercased() }
        media.allowsPrivateAddresses = section.boolean(
            "allow_private_addresses", default: media.allowsPrivateAddresses,
            doc: "Also hosts of private networks and of this machine. Callers could then reach them through Sluice.")
        media.byteCountMax = section.integer(
            "bytes_max", default: media.byteCountMax, in: 1024...104_857_600, doc: "The longest image.")
        media.countMax = section.integer(
            "count_max", default: media.countMax, in: 1...100, doc: "Images of one request.")
        media.timeout = section.duration(
            "timeout_ms", default: media.timeout, in: 100...120_000, doc: "How long one image may take.")
        return media
    }
}
