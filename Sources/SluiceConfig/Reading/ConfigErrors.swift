/// One thing that is wrong with a configuration.
package struct ConfigMistake: Sendable, Equatable, CustomStringConvertible {
    /// Where in the tree; empty for the text as a whole.
    package var path: String
    /// Where in the text; `nil` for what does not come from a text, as an environment variable.
    package var location: ConfigLocation?
    /// What is allowed, and what was found.
    package var message: String
    /// The file it stands in, if that is not the configuration itself.
    package var file: String?

    package init(path: String, location: ConfigLocation?, message: String, file: String? = nil) {
        self.path = path
        self.location = location
        self.message = message
        self.file = file
    }

    /// `clusters[2].pool.idle_ms (line 14): 0 to 3600000, found -5`; of a syntax error
    /// `14:3: found …; expected …`; in another file: `adapters/house.json5: paths.chat (line 7): …`.
    package var description: String {
        let place = file.map { $0 + ": " } ?? ""
        guard let location else { return place + (path.isEmpty ? message : "\(path): \(message)") }
        return place + (path.isEmpty ? "\(location): \(message)" : "\(path) (line \(location.line)): \(message)")
    }
}

/// Everything that is wrong with a configuration, in the order of its text.
package struct ConfigErrors: Error, Sendable, Equatable, CustomStringConvertible {
    /// How many mistakes are kept; more are only counted.
    package static let keptMax = 100

    package private(set) var mistakes: [ConfigMistake]
    /// How many more there were.
    package private(set) var omittedCount: Int

    /// - Parameter mistakes: at least one.
    package init(_ mistakes: [ConfigMistake]) {
        let sorted = mistakes.enumerated().sorted { a, b in
            (a.element.file ?? "", a.element.location ?? .start, a.offset)
                < (b.element.file ?? "", b.element.location ?? .start, b.offset)
        }
        self.mistakes = sorted.prefix(Self.keptMax).map(\.element)
        omittedCount = max(0, mistakes.count - Self.keptMax)
    }

    package init(_ error: ConfigSyntaxError) {
        self.init([ConfigMistake(path: "", location: error.location, message: error.message)])
    }

    /// One mistake a line.
    package var description: String {
        var lines = mistakes.map(\.description)
        if omittedCount > 0 { lines.append("and \(omittedCount) more") }
        return lines.joined(separator: "\n")
    }
}
