internal import SluiceCore
internal import SluiceJSON

/// Schemas that have a type, or have one implied.
extension GeminiSchema {
    private enum Kind: String {
        case string = "STRING"
        case number = "NUMBER"
        case integer = "INTEGER"
        case boolean = "BOOLEAN"
        case array = "ARRAY"
        case object = "OBJECT"
        case null = "NULL"
    }

    private static func kind(_ value: JSONValue) -> Kind? { value.string.flatMap { Kind(rawValue: $0.uppercased()) } }

    mutating func writeTyped(_ schema: JSONValue, _ level: Int, _ isNullable: Bool, _ json: inout JSONWriter) {
        var isNullable = isNullable || schema["nullable"]?.bool == true
        var kind: Kind?
        if let said = schema["type"] {
            kind = Self.kind(said)
            var typeCount = 0
            var elements = said.elements
            while let element = elements.next() {
                if element.equals("null") {
                    isNullable = true
                } else {
                    kind = Self.kind(element)
                    typeCount += 1
                }
            }
            if typeCount > 1 { return writeTypes(said, isNullable, &json) }
        }
        let known = kind ?? implied(schema)
        json.key("type")
        json.string(known.rawValue)
        writeNullable(isNullable, &json)
        if let title = schema["title"], title.isString {
            json.key("title")
            json.value(title)
        }
        writeEnum(schema, isString: known == .string, &json)
        copyBounds(schema, &json)
        if known == .object { writeObject(schema, level, &json) }
        if known == .array { writeItems(schema, level, &json) }
    }

    /// The type of a schema that does not say it.
    private mutating func implied(_ schema: JSONValue) -> Kind {
        if schema["properties"] != nil { return .object }
        if schema["items"] != nil { return .array }
        if schema["enum"]?[0]?.isString == true || schema["const"]?.isString == true { return .string }
        isExact = false
        return .object
    }

    /// Several types: a choice among them, each alone.
    private mutating func writeTypes(_ types: JSONValue, _ isNullable: Bool, _ json: inout JSONWriter) {
        json.key("anyOf")
        json.beginArray()
        var elements = types.elements
        while let element = elements.next() {
            guard let kind = Self.kind(element), !element.equals("null") else { continue }
            json.beginObject()
            json.key("type")
            json.string(kind.rawValue)
            json.endObject()
            // Bounds and members belong to one of them, and it is not said to which.
            if element.equals("array") || element.equals("object") { isExact = false }
        }
        json.endArray()
        writeNullable(isNullable, &json)
    }

    /// Only strings can be listed.
    private mutating func writeEnum(_ schema: JSONValue, isString: Bool, _ json: inout JSONWriter) {
        if let constant = schema["const"] {
            guard constant.isString, isString else {
                isExact = false
                return
            }
            json.key("enum")
            json.array { $0.value(constant) }
            return
        }
        guard let values = schema["enum"] else { return }
        var elements = values.elements
        while let value = elements.next() {
            if value.isNull || value.isString && isString { continue }
            isExact = false
            return
        }
        json.key("enum")
        json.beginArray()
        elements = values.elements
        while let value = elements.next() { if value.isString { json.value(value) } }
        json.endArray()
    }

    private static let numbers: [StaticString] = [
        "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum", "minLength", "maxLength",
    ]

    private func copyBounds(_ schema: JSONValue, _ json: inout JSONWriter) {
        for name in Self.numbers {
            guard let value = schema[name], value.kind == .number else { continue }
            json.key(name)
            json.value(value)
        }
        if let pattern = schema["pattern"], pattern.isString {
            json.key("pattern")
            json.value(pattern)
        }
        if let format = schema["format"], Self.isKnownFormat(format) {
            json.key("format")
            json.value(format)
        }
        if let value = schema["default"], !value.isNull {
            json.key("default")
            json.value(value)
        }
    }

    private mutating func writeItems(_ schema: JSONValue, _ level: Int, _ json: inout JSONWriter) {
        json.key("items")
        if let items = schema["items"], items.isObject, items.count > 0 { return write(items, level + 1, &json) }
        // An array without a type for its items is refused.
        isExact = false
        json.object { json in
            json.key("type")
            json.string("STRING")
        }
    }

    private mutating func writeObject(_ schema: JSONValue, _ level: Int, _ json: inout JSONWriter) {
        guard let properties = schema["properties"], properties.count > 0 else { return }
        json.key("properties")
        json.beginObject()
        var names: Set<String> = []
        writeProperties(properties, level, &names, &json)
        json.endObject()
        writeRequired(schema, properties, &json)
        if !ordersProperties { return }
        json.key("propertyOrdering")
        json.beginArray()
        var members = properties.members
        while let member = members.next() { json.value(member.key) }
        json.endArray()
    }

    mutating func writeProperties(
        _ properties: JSONValue?, _ level: Int, _ names: inout Set<String>, _ json: inout JSONWriter
    ) {
        guard let properties else { return }
        var members = properties.members
        while let member = members.next() {
            guard let name = member.key.string, names.insert(name).inserted else { continue }
            json.key(name.utf8Span.span)
            write(member.value, level + 1, &json)
        }
    }

    /// A name that is no property is refused.
    private func writeRequired(_ schema: JSONValue, _ properties: JSONValue, _ json: inout JSONWriter) {
        guard let required = schema["required"], required.count > 0 else { return }
        json.key("required")
        json.beginArray()
        var elements = required.elements
        while let element = elements.next() {
            if let name = element.string, properties[key: name.utf8Span.span] != nil { json.value(element) }
        }
        json.endArray()
    }
}
