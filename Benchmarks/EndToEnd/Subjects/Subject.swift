/// A proxy to be measured: how to configure and start it, and where it then answers.
protocol Subject {
    var name: String { get }
    /// What it says of its version, for the record.
    var version: String { get }

    /// Writes its configuration and returns the command that runs it in the foreground.
    func prepare(_ site: Site) throws(Failure) -> [String]

    /// Where it says that it is ready.
    func readiness(_ site: Site) -> (port: UInt16, path: String)

    func http2Port(_ site: Site) -> UInt16

    /// How long it may take to be ready, in nanoseconds.
    var startTimeMax: Int { get }

    /// How long it has to be at work before it is as fast as it gets, in nanoseconds.
    var warmUpMin: Int { get }

    /// Whether answers come through byte for byte and event for event, so that a load can check them.
    var isVerbatim: Bool { get }
}

extension Subject {
    func http2Port(_ site: Site) -> UInt16 { site.plainPort }
    var startTimeMax: Int { 20 * Clock.second }
    var warmUpMin: Int { 0 }
    var isVerbatim: Bool { true }
}
