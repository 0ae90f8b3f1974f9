internal import SluiceCore

extension JSONEdits {
    /// Sets a member of an object inside objects: `set(["stream_options", "include_usage"], in: root) { $0.bool(true)
    /// }`.
    ///
    /// Objects on the way that are missing are added, and what is there but is not an object is replaced by one. What
    /// earlier edits wrote on the way is kept.
    /// - Parameter path: one key at least.
    package mutating func set(_ path: [StaticString], in root: JSONValue, to write: (inout JSONWriter) -> Void) {
        set(path[...], in: root, write)
    }

    private mutating func set(
        _ path: ArraySlice<StaticString>, in object: JSONValue, _ write: (inout JSONWriter) -> Void
    ) {
        guard let key = path.first else { preconditionFailure("a member was set at an empty path") }
        let rest = path.dropFirst()
        if rest.isEmpty { return set(key, in: object, to: write) }
        let last = object.lastKey(key.bytes)
        let pending = last < 0 ? pendingInsertion(of: key.bytes, into: object.index) : pendingChange(of: last + 1)
        if let pending, changes[pending].action != .remove { return set(rest, inside: pending, write) }
        if pending == nil, last >= 0, object.entry(last + 1).isKind(.object) {
            return set(rest, in: object.sibling(last + 1), write)
        }
        set(key, in: object) { Self.write(rest, write, to: &$0) }
    }

    /// Sets a member within what an earlier edit wrote.
    private mutating func set(
        _ path: ArraySlice<StaticString>, inside pending: Int, _ write: (inout JSONWriter) -> Void
    ) {
        guard let inserted else { return }
        let text = ByteBuffer(copying: inserted.span.extracting(changes[pending].valueText))
        let tape = Self.tape(of: text)
        let value = tape.root(over: text.span)
        if !value.isObject { return rewrite(pending) { Self.write(path, write, to: &$0) } }
        var edits = JSONEdits()
        edits.set(path, in: value, write)
        let edited = ByteBuffer(capacity: text.count + 128)
        edits.splices(over: value).append(to: edited, from: text.span)
        rewrite(pending) { $0.raw(edited.span) }
    }

    private static func tape(of text: ByteBuffer) -> JSONTape {
        let tape = JSONTape()
        do { try tape.scan(text.span) } catch { preconditionFailure("an edit wrote what is not JSON: \(error)") }
        return tape
    }

    /// Writes objects in one another, with a value in the innermost one.
    private static func write(
        _ path: ArraySlice<StaticString>, _ write: (inout JSONWriter) -> Void, to writer: inout JSONWriter
    ) {
        for key in path {
            writer.beginObject()
            writer.key(key)
        }
        write(&writer)
        for _ in path { writer.endObject() }
    }
}
