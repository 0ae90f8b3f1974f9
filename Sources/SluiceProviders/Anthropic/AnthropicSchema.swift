internal import SluiceCore
internal import SluiceJSON

/// Rewrites a JSON schema so that Anthropic takes it (section 11 of the sheet): closed objects, and limits that it refuses as
/// words in the description, where the model reads them.
enum AnthropicSchema {
    /// A deeper schema is passed on as it is from there; no sensible one is.
    private static let depthMax = 24

    /// What it refuses, and how a description says it.
    private static let refused: [(StaticString, StaticString)] = [
        ("minimum", "minimum value"), ("maximum", "maximum value"), ("exclusiveMinimum", "greater than"),
        ("exclusiveMaximum", "less than"), ("multipleOf", "multiple of"), ("minLength", "minimum length"),
        ("maxLength", "maximum length"), ("maxItems", "maximum number of items"), ("uniqueItems", "unique items"),
        ("contains", "contains"), ("minContains", "contains at least"), ("maxContains", "contains at most"),
        ("prefixItems", "first items"), ("patternProperties", "properties by pattern"),
        ("propertyNames", "names of properties"),
        ("minProperties", "minimum number of properties"), ("maxProperties", "maximum number of properties"),
        ("dependentRequired", "required together"), ("dependentSchemas", "schemas that depend on properties"),
        ("dependencies", "dependencies"), ("if", "if"), ("then", "then"), ("else", "else"), ("not", "not"),
        ("unevaluatedProperties", "other properties"), ("unevaluatedItems", "other items"),
    ]
    private static let formats: [StaticString] = [
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    ]

    /// - Returns: whether something of it could only be said in a description.
    static func write(_ schema: JSONValue, _ json: inout JSONWriter) -> Bool {
        var isChanged = false
        write(schema, &json, depth: 0, &isChanged)
        return isChanged
    }

    private static func write(_ schema: JSONValue, _ json: inout JSONWriter, depth: Int, _ isChanged: inout Bool) {
        guard schema.isObject, depth < depthMax else { return json.value(schema) }
        json.beginObject()
        let hasAnyOf = schema["anyOf"] != nil
        let notes = ByteBuffer(capacity: 16)
        var members = schema.members
        while let member = members.next() {
            if member.isNamed("description") || member.isNamed("additionalProperties") { continue }
            if let label = label(member) {
                note(label, member.value, notes)
            } else if member.isNamed("oneOf"), hasAnyOf {
                note("one of", member.value, notes)
            } else {
                write(member, &json, depth: depth, &isChanged)
            }
        }
        if isObject(schema) {
            json.key("additionalProperties")
            json.bool(false)
            if let others = schema["additionalProperties"], others.bool != false { isChanged = true }
        }
        if !notes.isEmpty { isChanged = true }
        writeDescription(schema["description"], notes, &json)
        json.endObject()
    }

    private static func isObject(_ schema: JSONValue) -> Bool {
        if schema["properties"]?.isObject == true { return true }
        guard let type = schema["type"] else { return false }
        if type.equals("object") { return true }
        var types = type.elements
        while let type = types.next() { if type.equals("object") { return true } }
        return false
    }

    /// How a description says a member that is refused; `nil` for one that is not.
    private static func label(_ member: JSONMember) -> StaticString? {
        for (name, label) in refused where member.isNamed(name) { return label }
        if member.isNamed("minItems") {
            let count = member.value.int
            return count == 0 || count == 1 ? nil : "minimum number of items"
        }
        if member.isNamed("format") {
            for format in formats where member.value.equals(format) { return nil }
            return "format"
        }
        return nil
    }

    private static func note(_ label: StaticString, _ value: JSONValue, _ notes: ByteBuffer) {
        if !notes.isEmpty { notes.append(", " as StaticString) }
        notes.append(label)
        notes.append(": " as StaticString)
        if !value.appendString(to: notes) { notes.append(value.rawBytes) }
    }

    private static func writeDescription(_ description: JSONValue?, _ notes: ByteBuffer, _ json: inout JSONWriter) {
        let given = description?.string
        if given == nil, notes.isEmpty { return }
        json.key("description")
        if notes.isEmpty { return json.string(given ?? "") }
        json.beginString()
        if let given {
            json.appendToString(given.utf8Span.span)
            json.appendToString(" ".utf8Span.span)
        }
        json.appendToString("Note: ".utf8Span.span)
        json.appendToString(notes.span)
        json.appendToString(".".utf8Span.span)
        json.endString()
    }

    /// A member that may stay, with the schemas in it rewritten.
    private static func write(_ member: JSONMember, _ json: inout JSONWriter, depth: Int, _ isChanged: inout Bool) {
        let value = member.value
        if member.isNamed("oneOf") { json.key("anyOf") } else { writeKey(member.key, &json) }
        if member.isNamed("properties") || member.isNamed("$defs") || member.isNamed("definitions") {
            guard value.isObject else { return json.value(value) }
            json.beginObject()
            var schemas = value.members
            while let schema = schemas.next() {
                writeKey(schema.key, &json)
                write(schema.value, &json, depth: depth + 1, &isChanged)
            }
            json.endObject()
        } else if member.isNamed("items") || member.isNamed("anyOf") || member.isNamed("allOf")
            || member.isNamed("oneOf")
        {
            guard value.isArray else { return write(value, &json, depth: depth + 1, &isChanged) }
            json.beginArray()
            var schemas = value.elements
            while let schema = schemas.next() { write(schema, &json, depth: depth + 1, &isChanged) }
            json.endArray()
        } else {
            json.value(value)
        }
    }

    private static func writeKey(_ key: JSONValue, _ json: inout JSONWriter) {
        let name = ByteBuffer(capacity: key.range.count)
        key.appendString(to: name)
        json.key(name.span)
    }
}
