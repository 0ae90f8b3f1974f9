/// A program's command line as data: what may be said, and the help that says so.
package struct ArgumentParser: Sendable {
    package struct Option: Sendable {
        /// Without the dashes in front.
        package var name: String
        /// What stands for the value in the help: `FILE`; `nil` for a flag.
        package var value: String?
        package var isRepeatable: Bool
        package var doc: String

        package init(_ name: String, _ value: String? = nil, isRepeatable: Bool = false, doc: String) {
            self.name = name
            self.value = value
            self.isRepeatable = isRepeatable
            self.doc = doc
        }
    }

    package struct Command: Sendable {
        package var name: String
        package var summary: String
        package var options: [Option]
        /// What stands for the operands in the help: `FILE`. Each must be given.
        package var operands: [String]
        /// What may follow them.
        package var optionalOperands: [String]
        /// What the help says after the options; ends with a line end if there is anything.
        package var details: String

        package init(
            _ name: String, summary: String, options: [Option] = [], operands: [String] = [],
            optionalOperands: [String] = [], details: String = ""
        ) {
            self.name = name
            self.summary = summary
            self.options = options
            self.operands = operands
            self.optionalOperands = optionalOperands
            self.details = details
        }
    }

    package enum Result: Equatable, Sendable {
        case command(Arguments)
        /// Print this on standard output and exit with 0.
        case answer(String)
    }

    package var program: String
    package var summary: String
    package var version: String
    /// The first one is meant when none is named.
    package var commands: [Command]

    package init(program: String, summary: String, version: String, commands: [Command]) {
        self.program = program
        self.summary = summary
        self.version = version
        self.commands = commands
    }

    /// - Parameter arguments: without the program's own name.
    /// - Throws: what is wrong, for standard error; the exit status for that is 64 (`EX_USAGE`).
    package func parse(_ arguments: [String]) throws(UsageError) -> Result {
        var rest = arguments[...]
        var command = commands[0]
        if rest.first == "--help" || rest.first == "-h" { return .answer(help) }
        if let first = rest.first, !first.hasPrefix("-") {
            rest.removeFirst()
            if first == "help" { return .answer(try help(for: rest.first)) }
            command = try self.command(named: first)
        }
        var parsed = Arguments(command: command)
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": return .answer(help(for: command))
            case "--version": return .answer("\(program) \(version)\n")
            case "--":
                parsed.operands += rest
                rest = []
            case _ where argument.hasPrefix("-") && argument != "-":
                try parsed.add(option: argument, &rest, program)
            default: parsed.operands.append(argument)
            }
        }
        try parsed.checkOperands(program)
        return .command(parsed)
    }

    private func command(named name: String) throws(UsageError) -> Command {
        if let command = commands.first(where: { $0.name == name }) { return command }
        let names = commands.map(\.name)
        let question = Suggestion.nearest(to: name, among: names).map { ", did you mean \"\($0)\"?" } ?? ";"
        throw UsageError(
            "unknown command \(ConfigPath.quoted(name))\(question) commands: \(names.joined(separator: ", "))")
    }

    // MARK: Help

    private func help(for name: String?) throws(UsageError) -> String {
        guard let name else { return help }
        return help(for: try command(named: name))
    }

    /// The help of the whole program.
    package var help: String {
        let rows = commands.enumerated().map { index, command in
            (command.name, command.summary + (index == 0 ? " (when no command is named)" : ""))
        }
        return """
            \(program): \(summary)

            usage: \(program) [command] [options]

            \(Self.table(rows))
            \(program) help COMMAND, or \(program) COMMAND --help, says more; --version names the version.

            """
    }

    package func help(for command: Command) -> String {
        let operands = command.operands.map { " " + $0 }.joined() + command.optionalOperands.map { " [\($0)]" }.joined()
        let rows = command.options.map { option in
            (
                "--" + option.name + (option.value.map { " " + $0 } ?? ""),
                option.doc + (option.isRepeatable ? " (may be repeated)" : "")
            )
        }
        return """
            \(command.summary)

            usage: \(program) \(command.name)\(command.options.isEmpty ? "" : " [options]")\(operands)

            \(Self.table(rows + [("--help", "show this")]))\(command.details.isEmpty ? "" : "\n" + command.details)
            """
    }

    private static func table(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, doc in
            "  " + name + String(repeating: " ", count: width - name.count) + "  " + doc + "\n"
        }.joined()
    }
}

/// What is wrong with a command line.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}
