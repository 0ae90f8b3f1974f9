/// What is logged, and where to.
package struct LogConfiguration: Sendable, Equatable {
    package enum Level: String, Sendable, CaseIterable { case debug, info, warning, error }

    package enum Destination: Sendable, Equatable, CustomStringConvertible {
        case stdout, stderr
        /// An absolute path; opened again on SIGHUP.
        case file(String)

        package init?(_ text: String) {
            switch text {
            case "stdout": self = .stdout
            case "stderr": self = .stderr
            case _ where text.hasPrefix("/") && !text.utf8.contains(0): self = .file(text)
            default: return nil
            }
        }

        package var description: String {
            switch self {
            case .stdout: "stdout"
            case .stderr: "stderr"
            case .file(let path): path
            }
        }
    }

    /// Default info.
    package var level = Level.info
    /// Default stdout.
    package var destination = Destination.stdout
    /// Whether every exchange is a line. Default true.
    package var access = true

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var log = Self()
        log.level = section.choice("level", default: log.level, doc: "The least important events that are logged.")
        let destination = ConfigRule<Destination>.text(
            "destination", allowed: "stdout, stderr or the absolute path of a file", placeholder: .stdout,
            show: \.description
        ) { Destination($0) }
        log.destination = section.value(
            "destination", destination, default: log.destination,
            doc: "Where lines go. A file is opened again on SIGHUP.")
        log.access = section.boolean("access", default: log.access, doc: "Logs one line an exchange.")
        return log
    }
}
