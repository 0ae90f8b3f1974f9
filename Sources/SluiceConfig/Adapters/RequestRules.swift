/// What is changed in a request before it goes out. Each rule speaks of the fields as the application wrote them.
package struct RequestRules: Sendable {
    /// Which requests the rules are for: all that is said must hold.
    package struct Condition: Sendable, Equatable {
        package var isStream: Bool?
        package var hasTools: Bool?
        /// A tool must be called: `tool_choice` is `required` or names one.
        package var forcesTool: Bool?
        /// One of these fields is there.
        package var has: [String] = []
        /// None of these fields is there.
        package var lacks: [String] = []

        package init(
            isStream: Bool? = nil, hasTools: Bool? = nil, forcesTool: Bool? = nil, has: [String] = [],
            lacks: [String] = []
        ) {
            self.isStream = isStream
            self.hasTools = hasTools
            self.forcesTool = forcesTool
            self.has = has
            self.lacks = lacks
        }
    }

    /// What a number must be.
    package struct Clamp: Sendable, Equatable {
        package enum Outside: String, Sendable, CaseIterable { case nearest, remove }
        package var min: Double?
        package var max: Double?
        /// What happens to one that is not.
        package var outside: Outside
    }

    /// What a string must be.
    package struct Pad: Sendable, Equatable {
        /// Shorter ones get the prefix. In bytes.
        package var byteCountMin: Int
        package var prefix: String
    }

    /// What becomes of the ids of tool calls.
    package enum ToolCallIDs: String, Sendable, CaseIterable {
        case keep
        /// Others than nine letters and digits are replaced by nine that follow from them.
        case alphanumeric9
    }

    package var models: [String]
    package var operations: [Adapter.Operation]
    package var condition: Condition
    package var rename: [Named<String>]
    package var move: [Named<String>]
    package var values: [Named<[ConfigMember]>]
    package var expand: [Named<[ConfigMember]>]
    package var wrap: [String]
    package var clamp: [Named<Clamp>]
    package var pad: [Named<Pad>]
    package var prefer: [Named<String>]
    package var remove: [String]
    package var defaults: [Named<ConfigValue>]
    package var set: [Named<ConfigValue>]
    package var append: [Named<ConfigValue>]
    package var roles: [Named<String>]
    package var messageRemove: [String]
    package var removesNulls: Bool
    package var toolCallIDs: ToolCallIDs

    static func read(_ section: ConfigSection) -> Self {
        RequestRules(
            models: section.strings(
                "models", bytes: 1...256, doc: "Names, and beginnings that end in `*`. Empty: all."),
            operations: section.values(
                "operations", .choice(), default: [.chat], count: 1...9, doc: "Which operations the rules are for."),
            condition: section.section(
                "when", doc: "Which requests the rules are for: all that is said must hold.", readCondition),
            rename: named(
                section, "rename", .fieldName, "Fields that have another name. Where both are there, the new one stays."
            ),
            move: named(section, "move", .fieldPath, "Fields that have another place: a path with dots."),
            values: named(
                section, "values", .mapping,
                "Values that have another spelling; `null` removes the field, `*` is any other value, `object` any object."
            ),
            expand: named(
                section, "expand", .mapping,
                "Values that are said with other fields: an object of fields, which take the field's place; `null` removes it."
            ),
            wrap: section.strings(
                "wrap", bytes: 1...128, doc: "Fields that must be an array: a single value is put into one."),
            clamp: section.dictionary("clamp", names: .field, doc: "Numbers that must lie in a range.", readClamp),
            pad: section.dictionary("pad", names: .field, doc: "Strings that must have a length.", readPad),
            prefer: named(
                section, "prefer", .fieldName,
                "Fields that exclude each other: where the first is there, the second is removed."),
            remove: section.strings(
                "remove", bytes: 1...128,
                doc:
                    "Fields that the platform does not take. Unless they say what holds anyway, they are reported as lost."
            ),
            defaults: named(
                section, "defaults", .json, "Fields that are added where they are missing; paths with dots."),
            set: named(section, "set", .json, "Fields that always have this value; paths with dots."),
            append: named(
                section, "append", .json, "Elements that are added at the end of an array; it is made if it is missing."
            ),
            roles: named(section, "roles", .fieldName, "Roles of messages that have another name."),
            messageRemove: section.strings(
                "message_remove", bytes: 1...128,
                doc: "Fields of messages that the platform does not take: `name`, or `user.name` for one role's alone."),
            removesNulls: section.choice(
                "nulls", default: Nulls.keep,
                doc: "Whether fields that are null are sent, in the request and in its messages.") == .remove,
            toolCallIDs: section.choice("tool_call_ids", default: .keep, doc: "What becomes of the ids of tool calls."))
    }

    private enum Nulls: String, CaseIterable { case keep, remove }

    private static func named<Value>(
        _ section: ConfigSection, _ key: String, _ rule: ConfigRule<Value>, _ doc: String
    ) -> [Named<Value>] {
        section.dictionary(key, of: rule, names: .field, doc: doc).map { Named($0.name, $0.value) }
    }

    private static func readCondition(_ section: ConfigSection) -> Condition {
        Condition(
            isStream: section.optional("stream", .boolean, doc: "Whether the answer is to be a stream. null: either."),
            hasTools: section.optional("tools", .boolean, doc: "Whether there are tools. null: either."),
            forcesTool: section.optional(
                "forced_tool", .boolean, doc: "Whether `tool_choice` is `required` or names a tool. null: either."),
            has: section.strings("has", bytes: 1...128, doc: "One of these fields is there."),
            lacks: section.strings("lacks", bytes: 1...128, doc: "None of these fields is there."))
    }

    private static func readClamp(_ name: String, _ section: ConfigSection) -> Named<Clamp> {
        let range = -1e15...1e15
        let clamp = Clamp(
            min: section.optional("min", .number(in: range), doc: "null: no lower bound."),
            max: section.optional("max", .number(in: range), doc: "null: no upper bound."),
            outside: section.choice("outside", default: .nearest, doc: "What becomes of a number outside."))
        if let min = clamp.min, let max = clamp.max, min > max { section.mistake("min", "not more than max") }
        if clamp.min == nil, clamp.max == nil { section.mistake("min, max or both") }
        return Named(name, clamp)
    }

    private static func readPad(_ name: String, _ section: ConfigSection) -> Named<Pad> {
        Named(
            name,
            Pad(
                byteCountMin: section.integer(
                    "bytes_min", default: 1, in: 1...1024, doc: "Shorter ones get the prefix."),
                prefix: section.requiredString("prefix", bytes: 1...64, doc: "What is put before it.")))
    }
}

extension ConfigNames {
    /// Fields of a request, as names or as paths.
    static let field = ConfigNames("a field's name, or a path of names with dots between them, of 1 to 128 bytes") {
        name in
        ConfigRule<String>.isFieldPath(name)
    }
}

extension ConfigRule where Value == String {
    static func isFieldPath(_ text: String) -> Bool {
        1...128 ~= text.utf8.count
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
            && text.utf8.allSatisfy { 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }

    static var fieldName: ConfigRule {
        text(
            "name", allowed: "a name of 1 to 128 visible ASCII characters without dots", placeholder: "x", show: { $0 }
        ) {
            isFieldPath($0) && !$0.utf8.contains(UInt8(ascii: ".")) ? $0 : nil
        }
    }

    static var fieldPath: ConfigRule {
        text("path", allowed: "names with dots between them", placeholder: "x", show: { $0 }) {
            isFieldPath($0) ? $0 : nil
        }
    }
}

extension ConfigRule where Value == ConfigValue {
    /// Any value, as it is written.
    static var json: ConfigRule {
        ConfigRule(type: "any JSON", allowed: "any value", placeholder: ConfigValue(.null)) { value, _ in
            value
        } show: {
            $0.kind
        }
    }
}

extension ConfigRule where Value == [ConfigMember] {
    /// An object whose keys are values to look for, and whose values are any.
    static var mapping: ConfigRule {
        ConfigRule(type: "values by value", allowed: "an object", placeholder: []) { value, _ throws(ConfigRefusal) in
            guard case .object(let members) = value.kind else { throw .notAllowed }
            return members
        } show: {
            .object($0)
        }
    }
}
