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
}

extension Subject {
    func http2Port(_ site: Site) -> UInt16 { site.plainPort }
}
