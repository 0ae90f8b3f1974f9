internal import SluiceCore
internal import SluiceJSON

/// Makes a JSON value that a JSON Schema accepts: for tool arguments and structured output.
///
/// Understands what the Structured Outputs subset has, and a little more: type, enum, const, default, properties,
/// required, items, prefixItems, bounds, format, anyOf, oneOf, allOf, `$ref` within the document. A `pattern` is not
/// looked at. The value is always the same for the same schema, and bounded: near the limits only what is required is
/// written, beyond them not even that.
struct SchemaInstance {
    /// How deep the value may be.
    static let depthMax = 12
    /// How many values it may have.
    static let valuesMax = 2000
    /// How many elements or characters a minimum can ask for.
    static let lengthMax = 64

    private var valuesLeft = SchemaInstance.valuesMax

    /// Writes one value.
    static func write(_ schema: JSONValue, into json: inout JSONWriter) {
        var instance = SchemaInstance()
        instance.write(schema, root: schema, depth: 0, &json)
    }

    static func text(_ schema: JSONValue) -> [UInt8] {
        let buffer = ByteBuffer(capacity: 256)
        var json = JSONWriter(into: buffer)
        write(schema, into: &json)
        return Array(copying: buffer.span)
    }

    private mutating func write(_ schema: JSONValue, root: JSONValue, depth: Int, _ json: inout JSONWriter) {
        valuesLeft -= 1
        if let given = Self.given(schema) { return json.value(given) }
        if let target = Self.reference(schema, root) {
            if depth >= Self.depthMax { return json.null() }
            return write(target, root: root, depth: depth + 1, &json)
        }
        if let choice = Self.choice(schema, isDeep: isSpent(depth)) {
            if depth >= Self.depthMax { return json.null() }
            return write(choice, root: root, depth: depth + 1, &json)
        }
        switch Self.kind(schema, root, isDeep: isSpent(depth)) {
        case .object: writeObject(schema, root: root, depth: depth, &json)
        case .array: writeArray(schema, root: root, depth: depth, &json)
        case .integer: SchemaScalars.writeInteger(schema, &json)
        case .number: SchemaScalars.writeNumber(schema, &json)
        case .boolean: json.bool(true)
        case .null: json.null()
        case .string: SchemaScalars.writeString(schema, &json)
        }
    }

    /// Whether only what is required is still to be written.
    private func isSpent(_ depth: Int) -> Bool { depth >= Self.depthMax / 2 || isExhausted }

    /// Whether nothing more is to be written, required or not.
    private var isExhausted: Bool { valuesLeft <= 0 }

    // MARK: Containers

    private mutating func writeObject(_ schema: JSONValue, root: JSONValue, depth: Int, _ json: inout JSONWriter) {
        var written: [[UInt8]] = []
        json.beginObject()
        writeProperties(schema, root: root, depth: depth, &written, &json)
        json.endObject()
    }

    private mutating func writeProperties(
        _ schema: JSONValue, root: JSONValue, depth: Int, _ written: inout [[UInt8]], _ json: inout JSONWriter
    ) {
        valuesLeft -= 1
        if depth >= Self.depthMax || isExhausted { return }
        if let properties = schema["properties"] {
            var members = properties.members
            while let member = members.next(), !isExhausted {
                let name = Array((member.key.string ?? "").utf8)
                if written.contains(name) || isSpent(depth) && !Self.isRequired(name, in: schema) { continue }
                written.append(name)
                json.key(name.span)
                write(member.value, root: root, depth: depth + 1, &json)
            }
        }
        if let all = schema["allOf"] {
            var parts = all.elements
            while let part = parts.next(), !isExhausted {
                if let target = Self.reference(part, root) {
                    writeProperties(target, root: root, depth: depth + 1, &written, &json)
                } else {
                    writeProperties(part, root: root, depth: depth + 1, &written, &json)
                }
            }
        }
    }

    private static func isRequired(_ name: [UInt8], in schema: JSONValue) -> Bool {
        guard let required = schema["required"] else { return false }
        var names = required.elements
        while let other = names.next() { if other.equals(name.span) { return true } }
        return false
    }

    private mutating func writeArray(_ schema: JSONValue, root: JSONValue, depth: Int, _ json: inout JSONWriter) {
        let least = min(schema["minItems"]?.int ?? 0, Self.lengthMax)
        let most = schema["maxItems"]?.int ?? Self.lengthMax
        json.beginArray()
        var count = 0
        if let prefix = schema["prefixItems"] {
            var items = prefix.elements
            while let item = items.next(), count < Self.lengthMax, depth < Self.depthMax, !isExhausted {
                write(item, root: root, depth: depth + 1, &json)
                count += 1
            }
        }
        let wanted = isSpent(depth) ? least : max(least, min(1, most))
        if let items = schema["items"], depth < Self.depthMax {
            while count < wanted, !isExhausted {
                write(items, root: root, depth: depth + 1, &json)
                count += 1
            }
        }
        json.endArray()
    }

    // MARK: Which value is meant

    /// A value that the schema names.
    @_lifetime(copy schema)
    private static func given(_ schema: JSONValue) -> JSONValue? {
        if let value = schema["const"] { return value }
        if let value = schema["default"] { return value }
        if let values = schema["enum"], let value = values[0] { return value }
        if let values = schema["examples"], let value = values[0] { return value }
        return nil
    }

    /// One of several schemas: the first; when the value is deep already, one that allows null.
    @_lifetime(copy schema)
    private static func choice(_ schema: JSONValue, isDeep: Bool) -> JSONValue? {
        guard let choices = schema.either("anyOf", "oneOf"), let first = choices[0] else { return nil }
        if isDeep {
            var all = choices.elements
            while let one = all.next() { if let type = one["type"], type.equals("null") { return one } }
        }
        return first
    }

    /// What `$ref` points to: `#`, or a JSON Pointer in the same document (RFC 6901).
    @_lifetime(copy root)
    private static func reference(_ schema: JSONValue, _ root: JSONValue) -> JSONValue? {
        guard let text = schema["$ref"]?.string, text.hasPrefix("#") else { return nil }
        var value = root
        for part in text.dropFirst().split(separator: "/") {
            let name = Array(part.utf8)
            guard let next = value[key: SchemaScalars.unescapedPointer(name).span] else { return nil }
            value = next
        }
        return value
    }

    private enum Kind { case object, array, integer, number, boolean, null, string }

    private static func kind(_ schema: JSONValue, _ root: JSONValue, isDeep: Bool) -> Kind {
        guard let type = schema["type"] else {
            if schema["properties"] != nil || schema["allOf"] != nil { return .object }
            return schema["items"] != nil || schema["prefixItems"] != nil ? .array : .string
        }
        if !type.isArray { return kind(named: type) }
        if isDeep {
            var types = type.elements
            while let one = types.next() { if one.equals("null") { return .null } }
        }
        guard let first = type[0] else { return .null }
        return kind(named: first)
    }

    private static func kind(named type: JSONValue) -> Kind {
        if type.equals("object") { return .object }
        if type.equals("array") { return .array }
        if type.equals("integer") { return .integer }
        if type.equals("number") { return .number }
        if type.equals("boolean") { return .boolean }
        return type.equals("null") ? .null : .string
    }
}
