/// A place in a configuration text: both numbers start at 1, a column is a Unicode scalar.
package struct ConfigLocation: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static let start = ConfigLocation(line: 1, column: 1)
    package static func < (a: ConfigLocation, b: ConfigLocation) -> Bool { (a.line, a.column) < (b.line, b.column) }
    package var description: String { "\(line):\(column)" }
}

/// A value of a configuration text and where it stands.
///
/// Its text may hold secrets that nobody has told apart yet, so printing or reflecting one shows its kind and place
/// only.
package struct ConfigValue: Sendable {
    package enum Kind: Sendable, Equatable {
        case null
        case boolean(Bool)
        /// A number without a fraction that fits an `Int`, however it was written: `16`, `0x10`, `1.6e1`.
        case integer(Int)
        case number(Double)
        case string(String)
        case list([ConfigValue])
        /// In the order of the text; no key twice.
        case object([ConfigMember])
    }

    package var kind: Kind
    package var location: ConfigLocation

    package init(_ kind: Kind, at location: ConfigLocation = .start) {
        self.kind = kind
        self.location = location
    }

    /// The value of a key, if this is an object that has it.
    package subscript(_ key: String) -> ConfigValue? {
        guard case .object(let members) = kind else { return nil }
        return members.first { $0.key == key }?.value
    }
}

/// A key of an object, and its value.
package struct ConfigMember: Sendable {
    package var key: String
    package var location: ConfigLocation
    package var value: ConfigValue

    package init(_ key: String, _ value: ConfigValue, at location: ConfigLocation = .start) {
        self.key = key
        self.location = location
        self.value = value
    }
}

extension ConfigValue: Equatable {
    /// Equal in content; where the values stand does not count.
    package static func == (a: ConfigValue, b: ConfigValue) -> Bool { a.kind == b.kind }
}

extension ConfigMember: Equatable {
    package static func == (a: ConfigMember, b: ConfigMember) -> Bool { a.key == b.key && a.value == b.value }
}

extension ConfigValue: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(kind.name) at \(location)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

extension ConfigMember: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(ConfigPath.quoted(key)): \(value)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

extension ConfigValue.Kind: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What this is, for a message: `an object`, `a string`.
    package var name: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .integer, .number: "a number"
        case .string: "a string"
        case .list: "a list"
        case .object: "an object"
        }
    }

    package var description: String { name }
    package var debugDescription: String { name }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
