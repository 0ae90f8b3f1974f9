/// A command line that was understood. Asking for an option that the command does not declare is a programming error.
package struct Arguments: Sendable {
    private let declaration: ArgumentParser.Command
    private var values: [String: [String]] = [:]
    package internal(set) var operands: [String] = []

    package var command: String { declaration.name }

    init(command: ArgumentParser.Command) { declaration = command }

    /// The value of an option that was given.
    package func text(_ name: String) -> String? { texts(name).last }

    /// The values of an option that may be repeated, in their order.
    package func texts(_ name: String) -> [String] {
        check(name)
        return values[name] ?? []
    }

    /// Whether an option was given.
    package func has(_ name: String) -> Bool { !texts(name).isEmpty }

    /// The value of an option as a number.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        try value(name, allowed: range.shown) { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// The value of an option that `parse` understands, or returns `nil` for.
    package func value<Value>(
        _ name: String, allowed: String, _ parse: (String) -> Value?
    ) throws(UsageError) -> Value? {
        guard let text = text(name) else { return nil }
        if let value = parse(text) { return value }
        throw UsageError("--\(name): \(allowed), found \(ConfigPath.quoted(text))")
    }

    private func check(_ name: String) {
        precondition(declaration.options.contains { $0.name == name }, "\(command) does not declare --\(name)")
    }

    // MARK: Reading

    mutating func add(option argument: String, _ rest: inout ArraySlice<String>, _ program: String) throws(UsageError) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts[0].drop { $0 == "-" }
        guard argument.hasPrefix("--"), let option = declaration.options.first(where: { $0.name == name }) else {
            throw unknown(String(parts[0]), program)
        }
        if values[option.name] != nil, !option.isRepeatable { throw UsageError("--\(option.name) is given twice") }
        values[option.name, default: []].append(try value(of: option, parts.count > 1 ? String(parts[1]) : nil, &rest))
    }

    private func value(
        of option: ArgumentParser.Option, _ attached: String?, _ rest: inout ArraySlice<String>
    ) throws(UsageError) -> String {
        guard let placeholder = option.value else {
            if attached == nil { return "" }
            throw UsageError("--\(option.name) takes no value")
        }
        if let attached { return attached }
        if let next = rest.first, !next.hasPrefix("--") {
            rest.removeFirst()
            return next
        }
        throw UsageError("--\(option.name) needs a value: --\(option.name) \(placeholder)")
    }

    private func unknown(_ argument: String, _ program: String) -> UsageError {
        let names = declaration.options.map { "--" + $0.name }
        let question = Suggestion.nearest(to: argument, among: names).map { ", did you mean \($0)?" } ?? ";"
        return UsageError(
            "unknown option \(ConfigPath.quoted(argument))\(question) \(program) \(command) --help lists the options")
    }

    func checkOperands(_ program: String) throws(UsageError) {
        let wanted = declaration.operands
        if operands.count < wanted.count {
            throw UsageError(
                "\(wanted[operands.count]) is missing: \(program) \(command) \(wanted.joined(separator: " "))")
        }
        let countMax = wanted.count + declaration.optionalOperands.count
        if operands.count > countMax {
            throw UsageError(
                "\(ConfigPath.quoted(operands[countMax])) is one argument too many for \(program) \(command)")
        }
    }
}

extension Arguments: Equatable {
    package static func == (a: Arguments, b: Arguments) -> Bool {
        a.command == b.command && a.values == b.values && a.operands == b.operands
    }
}
