internal import SluiceCore
package import SluiceJSON

/// Makes JSON texts that stand within strings, such as a call's arguments, into values of a document.
package final class EmbeddedJSON {
    private let tape = JSONTape()
    private let text = ByteBuffer(capacity: 256)

    package init() {}

    /// Writes the object that a string says; an empty string says `{}`. An object that is one already is written as it is.
    ///
    /// - Returns: false, with nothing written, if it is something else.
    package func writeObject(_ value: JSONValue?, _ json: inout JSONWriter) -> Bool {
        guard let value, !value.isNull else {
            json.object { _ in }
            return true
        }
        if value.isObject {
            json.value(value)
            return true
        }
        let text = text
        let tape = tape
        text.removeAll()
        guard value.appendString(to: text) else { return false }
        if isBlank {
            json.object { _ in }
            return true
        }
        guard (try? tape.scan(text.span)) != nil else { return false }
        let root = tape.root(over: text.span)
        guard root.isObject else { return false }
        json.value(root)
        return true
    }

    /// The same, for arguments of a tool call: a text that is no object, as models write at times, becomes an object around it.
    package func writeArguments(_ value: JSONValue?, _ json: inout JSONWriter) -> Bool {
        if writeObject(value, &json) { return true }
        json.beginObject()
        json.key("arguments")
        if let value { json.value(value) } else { json.null() }
        json.endObject()
        return false
    }

    private var isBlank: Bool {
        for index in 0..<text.count {
            let byte = text[index]
            if byte != ASCII.space, byte != ASCII.lineFeed, byte != ASCII.carriageReturn, byte != ASCII.tab {
                return false
            }
        }
        return true
    }
}
