package import SluiceConfig
internal import SluiceCore
package import SluiceJSON

/// What an adapter changes in requests, made ready: spliced into the bytes that came, which otherwise stay as they are.
///
/// Every rule speaks of the fields as the application wrote them; where several sets of rules hold, the later one has the last word.
package struct RequestTransform: Sendable {
    /// What happens to one field, in order.
    struct Field: Sendable {
        let key: [UInt8]
        var steps: [(block: Int, step: FieldStep)] = []
    }

    struct Block: Sendable {
        let models: [String]
        let operations: [Adapter.Operation]
        let condition: RequestRules.Condition
    }

    struct Addition: Sendable {
        enum Kind: Sendable { case ifMissing, always, element }
        let block: Int
        let kind: Kind
        let path: FieldPath
        /// Of `element`: the elements without brackets.
        let json: [UInt8]
    }

    private var blocks: [Block] = []
    private var fields: [Field] = []
    private var additions: [Addition] = []
    private var messages = MessageTransform()
    private var nullRemovers: UInt32 = 0

    package var isEmpty: Bool { blocks.isEmpty }

    package init(_ rules: [RequestRules] = []) {
        for (index, rule) in rules.enumerated() {
            blocks.append(Block(models: rule.models, operations: rule.operations, condition: rule.condition))
            addSteps(rule, index)
            for (kind, list) in [
                (Addition.Kind.ifMissing, rule.defaults), (.always, rule.set), (.element, rule.append),
            ] {
                for item in list { additions.append(Self.addition(kind, item, index)) }
            }
            messages.add(rule, block: index)
            if rule.removesNulls { nullRemovers |= 1 << UInt32(index) }
        }
    }

    private mutating func addSteps(_ rule: RequestRules, _ block: Int) {
        for item in rule.expand { add(.expand(item.value.map { ValueCase($0) }), to: item.name, block) }
        for item in rule.values { add(.values(item.value.map { ValueCase($0) }), to: item.name, block) }
        for item in rule.clamp { add(.clamp(item.value), to: item.name, block) }
        for item in rule.pad { add(.pad(item.value), to: item.name, block) }
        for name in rule.wrap { add(.wrap, to: name, block) }
        for item in rule.rename + rule.move { add(.move(FieldPath(item.value)), to: item.name, block) }
        for item in rule.prefer { add(.yield(to: Array(item.name.utf8)), to: item.value, block) }
        for name in rule.remove { add(.remove, to: name, block) }
    }

    private mutating func add(_ step: FieldStep, to name: String, _ block: Int) {
        let key = Array(name.utf8)
        if let index = fields.firstIndex(where: { $0.key == key }) {
            fields[index].steps.append((block, step))
        } else {
            fields.append(Field(key: key, steps: [(block, step)]))
        }
    }

    private static func addition(_ kind: Addition.Kind, _ item: Named<ConfigValue>, _ block: Int) -> Addition {
        var json = JSONBytes.of(item.value)
        if kind == .element {
            // An array stands for its elements.
            if case .list = item.value.kind { json = Array(json.dropFirst().dropLast()) }
        }
        return Addition(block: block, kind: kind, path: FieldPath(item.name), json: json)
    }

    // MARK: Using it

    /// Whether a field is always taken away, so that there is no point in adding it.
    package func alwaysRemoves(_ name: String) -> Bool {
        let key = Array(name.utf8)
        return fields.contains { field in
            field.key == key
                && field.steps.contains { step in
                    guard case .remove = step.step else { return false }
                    let block = blocks[step.block]
                    return block.models.isEmpty && block.operations.contains(.chat)
                        && block.condition == RequestRules.Condition()
                }
        }
    }

    /// Notes the changes of one request.
    ///
    /// - Parameters:
    ///   - root: an object.
    ///   - model: as the provider spells it.
    package func apply(
        to root: JSONValue, model: String, operation: Adapter.Operation, isStream: Bool, _ edits: inout JSONEdits,
        _ report: inout FieldReport
    ) {
        let active = active(root, model, operation, isStream)
        if active == 0 { return }
        if nullRemovers & active != 0 { Self.removeNulls(from: root, &edits) }
        var written: [[UInt8]] = []
        for field in fields { apply(field, active, to: root, &edits, &report, &written) }
        for addition in additions where active & 1 << UInt32(addition.block) != 0 {
            add(addition, to: root, &edits, written)
        }
        messages.apply(active, to: root, &edits, &report)
    }

    /// Which blocks hold for a request, a bit each.
    private func active(_ root: JSONValue, _ model: String, _ operation: Adapter.Operation, _ isStream: Bool) -> UInt32
    {
        var active: UInt32 = 0
        for (index, block) in blocks.enumerated() {
            if !block.operations.contains(operation) { continue }
            if !block.models.isEmpty, !block.models.contains(where: { ModelPattern.matches($0, model) }) { continue }
            if holds(block.condition, root, isStream) { active |= 1 << UInt32(index) }
        }
        return active
    }

    private func holds(_ condition: RequestRules.Condition, _ root: JSONValue, _ isStream: Bool) -> Bool {
        if let wanted = condition.isStream, wanted != isStream { return false }
        if let wanted = condition.hasTools, wanted != ((root["tools"]?.count ?? 0) > 0) { return false }
        if let wanted = condition.forcesTool {
            let choice = root["tool_choice"]
            if wanted != (choice?.isObject == true || choice?.equals("required") == true) { return false }
        }
        if !condition.has.isEmpty, !condition.has.contains(where: { Self.has($0, root) }) { return false }
        return !condition.lacks.contains { Self.has($0, root) }
    }

    private static func has(_ name: String, _ root: JSONValue) -> Bool {
        guard let value = root[key: name.utf8Span.span] else { return false }
        return !value.isNull
    }

    private func apply(
        _ field: Field, _ active: UInt32, to root: JSONValue, _ edits: inout JSONEdits, _ report: inout FieldReport,
        _ written: inout [[UInt8]]
    ) {
        guard let value = root[key: field.key.span], !value.isNull else { return }
        var outcome = FieldOutcome()
        for (block, step) in field.steps where active & 1 << UInt32(block) != 0 { outcome.take(step, value, root) }
        outcome.write(field.key, value, root, &edits, &report, &written)
    }

    private func add(_ addition: Addition, to root: JSONValue, _ edits: inout JSONEdits, _ written: [[UInt8]]) {
        switch addition.kind {
        case .always: addition.path.set(addition.json, in: root, &edits)
        case .ifMissing:
            if addition.path.value(in: root) != nil || written.contains(addition.path.keys[0]) { return }
            addition.path.set(addition.json, in: root, &edits)
        case .element:
            if let array = addition.path.value(in: root), array.isArray {
                edits.append(to: array) { $0.raw(addition.json.span) }
            } else {
                addition.path.set([UInt8(ascii: "[")] + addition.json + [UInt8(ascii: "]")], in: root, &edits)
            }
        }
    }

    private static func removeNulls(from root: JSONValue, _ edits: inout JSONEdits) {
        var members = root.members
        while let member = members.next() { if member.value.isNull { edits.remove(member) } }
        var messages = root.elements(of: "messages")
        while let message = messages.next() {
            var members = message.members
            // The content of a message with calls may be null, and must be there.
            while let member = members.next() {
                if member.value.isNull, !member.isNamed("content") { edits.remove(member) }
            }
        }
    }
}

/// JSON texts of configuration values.
enum JSONBytes {
    static func of(_ value: ConfigValue) -> [UInt8] {
        let buffer = ByteBuffer(capacity: 64)
        var writer = JSONWriter(into: buffer)
        write(value, &writer)
        return buffer.bytes
    }

    private static func write(_ value: ConfigValue, _ json: inout JSONWriter) {
        switch value.kind {
        case .null: json.null()
        case .boolean(let flag): json.bool(flag)
        case .integer(let number): json.int(number)
        case .number(let number): json.double(number)
        case .string(let text): json.string(text)
        case .list(let elements):
            json.beginArray()
            for element in elements { write(element, &json) }
            json.endArray()
        case .object(let members):
            json.beginObject()
            for member in members {
                json.key(member.key.utf8Span.span)
                write(member.value, &json)
            }
            json.endObject()
        }
    }
}

extension ByteBuffer {
    /// A copy.
    var bytes: [UInt8] {
        let span = span
        var bytes: [UInt8] = []
        bytes.reserveCapacity(span.count)
        for index in span.indices { bytes.append(span[index]) }
        return bytes
    }
}
