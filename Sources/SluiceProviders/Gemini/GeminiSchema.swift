internal import SluiceCore
internal import SluiceJSON

/// Puts a JSON Schema into the subset of OpenAPI's that Gemini's `parameters` and `responseSchema` take (section 4 of the sheet).
struct GeminiSchema: ~Escapable {
    private let root: JSONValue
    let ordersProperties: Bool
    /// Whether nothing that says something was left out.
    var isExact = true
    /// Where the references lie that are being followed, so that none is followed within itself.
    private var following: [Int] = []
    /// How many schemas may still be written: references can make a short document a very long one.
    private var budget = 4096
    /// How many of their members may still be looked at: the same one may be referred to each time.
    private var memberBudget = 1 << 18
    /// Each level opens two containers of the writer.
    private static let levelsMax = 28

    /// - Parameter ordersProperties: the order of the properties is said, as answers by schema want it.
    @_lifetime(copy root)
    init(_ root: JSONValue, ordersProperties: Bool = false) {
        self.root = root
        self.ordersProperties = ordersProperties
    }

    /// - Returns: whether it says all that the schema says.
    mutating func write(into buffer: ByteBuffer) -> Bool {
        var json = JSONWriter(into: buffer)
        write(root, 0, &json)
        return isExact
    }

    mutating func write(_ schema: JSONValue, _ level: Int, _ json: inout JSONWriter) {
        json.beginObject()
        writeMembers(schema, level, isNullable: false, hasDescription: false, &json)
        json.endObject()
    }

    /// - Parameters:
    ///   - isNullable: known from around it.
    ///   - hasDescription: a schema that refers to this one has described it.
    private mutating func writeMembers(
        _ schema: JSONValue, _ level: Int, isNullable: Bool, hasDescription: Bool, _ json: inout JSONWriter
    ) {
        budget -= 1
        guard schema.isObject, level < Self.levelsMax, budget > 0, memberBudget > 0 else {
            isExact = false
            return writeAnything(isNullable, &json)
        }
        var hasDescription = hasDescription
        if !hasDescription, let text = schema["description"], text.isString {
            json.key("description")
            json.value(text)
            hasDescription = true
        }
        noteLosses(schema)
        if let reference = schema["$ref"] {
            return follow(reference, level, isNullable, hasDescription, &json)
        }
        if let all = schema["allOf"], all.count > 0 {
            return writeAll(all, schema, level, isNullable, hasDescription, &json)
        }
        if let choices = schema["anyOf"], choices.count > 0 {
            return writeChoices(choices, level, isNullable, hasDescription, &json)
        }
        if let choices = schema["oneOf"], choices.count > 0 {
            return writeChoices(choices, level, isNullable, hasDescription, &json)
        }
        writeTyped(schema, level, isNullable, &json)
    }

    private func writeAnything(_ isNullable: Bool, _ json: inout JSONWriter) {
        json.key("type")
        json.string("OBJECT")
        writeNullable(isNullable, &json)
    }

    func writeNullable(_ isNullable: Bool, _ json: inout JSONWriter) {
        if !isNullable { return }
        json.key("nullable")
        json.bool(true)
    }

    // MARK: Losses

    private static let harmless: [StaticString] = [
        "$schema", "$id", "$defs", "$comment", "definitions", "strict", "examples", "deprecated", "readOnly",
        "writeOnly", "title",
        "description", "type", "nullable", "enum", "const", "items", "minItems", "maxItems", "properties", "required",
        "propertyOrdering", "minProperties", "maxProperties", "anyOf", "oneOf", "allOf", "minimum", "maximum",
        "minLength",
        "maxLength", "pattern", "default", "example", "$ref",
    ]

    private mutating func noteLosses(_ schema: JSONValue) {
        var members = schema.members
        next: while let member = members.next() {
            memberBudget -= 1
            for name in Self.harmless where member.isNamed(name) { continue next }
            // Closed objects are the rule.
            if member.isNamed("additionalProperties"), member.value.bool != nil { continue }
            if member.isNamed("format"), Self.isKnownFormat(member.value) { continue }
            isExact = false
        }
    }

    /// Other formats were refused by older models (not verified for newer ones).
    static func isKnownFormat(_ format: JSONValue) -> Bool {
        let known: [StaticString] = ["date-time", "enum", "float", "double", "int32", "int64"]
        for name in known where format.equals(name) { return true }
        return false
    }

    // MARK: Schemas that refer to others

    private mutating func follow(
        _ reference: JSONValue, _ level: Int, _ isNullable: Bool, _ hasDescription: Bool, _ json: inout JSONWriter
    ) {
        guard let target = target(of: reference), !following.contains(target.range.lowerBound) else {
            isExact = false
            return writeAnything(isNullable, &json)
        }
        following.append(target.range.lowerBound)
        writeMembers(target, level + 1, isNullable: isNullable, hasDescription: hasDescription, &json)
        following.removeLast()
    }

    /// A JSON pointer within the document (RFC 6901), without escapes.
    @_lifetime(copy self)
    private func target(of reference: JSONValue) -> JSONValue? {
        guard let pointer = reference.string, pointer.hasPrefix("#/") else { return nil }
        var value = root
        for segment in pointer.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
            let key = String(segment)
            guard let next = value[key: key.utf8Span.span] else { return nil }
            value = next
        }
        return value.isObject ? value : nil
    }

    private mutating func writeAll(
        _ all: JSONValue, _ schema: JSONValue, _ level: Int, _ isNullable: Bool, _ hasDescription: Bool,
        _ json: inout JSONWriter
    ) {
        // One schema, and nothing beside it but words: how generators put a description beside a reference.
        if all.count == 1, let only = all[0], schema["properties"] == nil,
            schema["type"] == nil || schema["type"]?.equals("object") == true
        {
            return writeMembers(only, level + 1, isNullable: isNullable, hasDescription: hasDescription, &json)
        }
        isExact = false
        json.key("type")
        json.string("OBJECT")
        writeNullable(isNullable, &json)
        json.key("properties")
        json.beginObject()
        var names: Set<String> = []
        writeProperties(schema["properties"], level, &names, &json)
        var parts = all.elements
        while let part = parts.next() {
            if let reference = part["$ref"] {
                if let object = target(of: reference) { writeProperties(object["properties"], level, &names, &json) }
            } else {
                writeProperties(part["properties"], level, &names, &json)
            }
        }
        json.endObject()
    }

    private mutating func writeChoices(
        _ choices: JSONValue, _ level: Int, _ isNullable: Bool, _ hasDescription: Bool, _ json: inout JSONWriter
    ) {
        var isNullable = isNullable
        var count = 0
        var elements = choices.elements
        while let choice = elements.next() {
            if choice["type"]?.equals("null") == true { isNullable = true } else { count += 1 }
        }
        elements = choices.elements
        if count > 1 {
            json.key("anyOf")
            json.beginArray()
        }
        while let choice = elements.next() {
            if choice["type"]?.equals("null") == true { continue }
            if count == 1 {
                return writeMembers(choice, level + 1, isNullable: isNullable, hasDescription: hasDescription, &json)
            }
            write(choice, level + 1, &json)
        }
        if count == 0 { return writeAnything(true, &json) }
        json.endArray()
        writeNullable(isNullable, &json)
    }
}
