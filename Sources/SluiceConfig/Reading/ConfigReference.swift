/// What a call that reads a setting says about it.
package struct ConfigField: Sendable {
    package var key: String
    package var type: String
    package var allowed: String
    package var defaultValue: ConfigValue.Kind?
    package var isRequired = false
    package var isSecret = false
    package var doc: String

    init<Value>(
        key: String, _ rule: ConfigRule<Value>, default defaultValue: ConfigValue.Kind?, isRequired: Bool = false,
        isNullable: Bool = false, doc: String
    ) {
        self.key = key
        type = rule.type
        allowed = isNullable ? "\(rule.allowed), or null" : rule.allowed
        self.defaultValue = defaultValue
        self.isRequired = isRequired
        isSecret = rule.isSecret
        self.doc = doc
    }

    init(key: String, type: String, allowed: String = "", isRequired: Bool = false, doc: String) {
        self.key = key
        self.type = type
        self.allowed = allowed
        self.isRequired = isRequired
        self.doc = doc
    }
}

/// The reference of a configuration, written by the code that reads it: the two cannot drift apart.
package struct ConfigReference: Sendable {
    package struct Section: Sendable {
        package var path: String
        package var doc: String
        package var fields: [ConfigField] = []
    }

    package private(set) var sections: [Section] = []

    /// Runs `body` without a text and notes every setting that it asks for.
    package static func describe(_ body: (ConfigSection) -> Void) -> ConfigReference {
        let nothing = ConfigEnvironment.fixed()
        let context = ConfigContext(environment: nothing, reference: ConfigReference())
        body(ConfigSection(path: "", location: .start, members: [], context: context, doc: ""))
        return context.reference ?? ConfigReference()
    }

    mutating func addSection(path: String, doc: String) -> Int {
        sections.append(Section(path: path, doc: doc))
        return sections.count - 1
    }

    mutating func add(_ field: ConfigField, toSection index: Int) { sections[index].fields.append(field) }

    /// A table a section, under headings of the given level.
    package func markdown(headingLevel: Int = 2) -> String {
        var text = ""
        for section in sections where !section.fields.isEmpty {
            if !text.isEmpty { text += "\n" }
            text += String(repeating: "#", count: headingLevel) + " "
            text += section.path.isEmpty ? "Top level\n\n" : "`\(section.path)`\n\n"
            if !section.doc.isEmpty { text += section.doc + "\n\n" }
            text += "| key | type | default | allowed | meaning |\n| --- | --- | --- | --- | --- |\n"
            for field in section.fields { text += Self.row(field) }
        }
        return text
    }

    private static func row(_ field: ConfigField) -> String {
        let fallback = field.isRequired ? "required" : field.defaultValue.map { "`\(ConfigValue($0).json())`" } ?? ""
        let cells = ["`\(field.key)`", field.type, fallback, field.allowed, field.doc]
        return "| " + cells.map(escaped).joined(separator: " | ") + " |\n"
    }

    /// A table's cell is one line, and a bar would end it.
    private static func escaped(_ cell: String) -> String {
        String(cell.flatMap { $0 == "|" ? "\\|" : $0.isNewline ? " " : String($0) })
    }
}
