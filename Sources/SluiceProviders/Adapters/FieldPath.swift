internal import SluiceCore
package import SluiceJSON

/// A place in a document by names: `usage.prompt_tokens_details.cached_tokens`.
package struct FieldPath: Sendable, Equatable {
    /// At least one.
    package let keys: [[UInt8]]

    package init(_ text: String) { keys = text.split(separator: ".").map { Array($0.utf8) } }

    package var text: String { keys.map { String(decoding: $0.span) }.joined(separator: ".") }

    /// What is there; `nil` for nothing, and for null.
    @_lifetime(copy root)
    package func value(in root: JSONValue) -> JSONValue? {
        var value = root
        for key in keys {
            guard let next = value[key: key.span] else { return nil }
            value = next
        }
        return value.isNull ? nil : value
    }

    /// Puts a JSON text there. Objects on the way that are missing are made; what is there and is no object is replaced.
    func set(_ json: [UInt8], in root: JSONValue, _ edits: inout JSONEdits) {
        var object = root
        var rest = keys[...]
        while let key = rest.popFirst() {
            if !rest.isEmpty, let next = object[key: key.span], next.isObject {
                object = next
                continue
            }
            return edits.set(key: key.span, in: object) { writer in
                for key in rest {
                    writer.beginObject()
                    writer.key(key.span)
                }
                writer.raw(json.span)
                for _ in rest { writer.endObject() }
            }
        }
    }

    /// Takes it away, if it is there.
    func remove(from root: JSONValue, _ edits: inout JSONEdits) {
        var object = root
        for key in keys.dropLast() {
            guard let next = object[key: key.span], next.isObject else { return }
            object = next
        }
        if let key = keys.last, object.isObject { edits.remove(key: key.span, from: object) }
    }
}

extension JSONValue {
    /// A string, a number, true or false as the word that tables know it by; `nil` for others.
    package var word: String? {
        if isString { return string }
        return isObject || isArray || isNull ? nil : String(decoding: rawBytes)
    }
}
