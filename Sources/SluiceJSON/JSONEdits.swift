internal import SluiceCore

/// Changes to a scanned document, collected first and applied together: what is not changed keeps its bytes, whatever
/// its white space, order of keys and spelling of numbers.
///
/// The calls may come in any order; the last one about a value or member wins. A change inside a value that is itself
/// replaced or removed is lost. Edits refer to places on a tape: take `splices(over:)` before the tape's next `scan`.
/// They can be edited further after that, say to try another provider, and taken again.
package struct JSONEdits {
    enum Action { case replace, remove, prepend, append }

    struct Change {
        var action: Action
        /// The container's place on the tape; -1 if only a value's own bytes change.
        var container: Int
        /// The value's place on the tape; -1 for an insertion.
        var value: Int
        /// The key of an inserted member, unescaped, in `inserted`; empty for an element.
        var key: Range<Int> = 0..<0
        /// In `inserted`: the value, with the key before it for a member. A comma stands on either side, for use if
        /// needed.
        var text: Range<Int> = 0..<0
        /// The value alone.
        var valueText: Range<Int> = 0..<0
    }

    private(set) var changes: [Change] = []
    /// What was written, in the order of the calls. It only grows, since splices refer to it.
    private(set) var inserted: ByteBuffer?
    private var generation: UInt32?
    /// The highest place that was changed: beyond it there is nothing to look up. Documents are mostly edited from
    /// front to back.
    private var highestValue = -1

    package init() {}

    package var isEmpty: Bool { changes.isEmpty }

    /// Forgets all changes. Splices that were taken stay valid.
    package mutating func removeAll() {
        changes.removeAll(keepingCapacity: true)
        if isKnownUniquelyReferenced(&inserted) { inserted?.removeAll() } else { inserted = nil }
        generation = nil
        highestValue = -1
    }

    // MARK: Values

    /// Puts what `write` writes, which is one value, in a value's place.
    package mutating func replace(_ value: JSONValue, with write: (inout JSONWriter) -> Void) {
        checkDocument(value)
        let text = writeText(write)
        record(Change(action: .replace, container: -1, value: value.index, text: text, valueText: text))
    }

    // MARK: Members

    /// Gives an object's member of that name another value, or adds the member at the end. If the name occurs more
    /// than once, one member stays: the last.
    package mutating func set(_ key: StaticString, in object: JSONValue, to write: (inout JSONWriter) -> Void) {
        set(key: key.bytes, in: object, to: write)
    }

    /// The same for a key that is known at run time only, in UTF-8 and without escapes.
    package mutating func set(key: Span<UInt8>, in object: JSONValue, to write: (inout JSONWriter) -> Void) {
        precondition(object.isObject, "a member was set in a value that is not an object")
        checkDocument(object)
        let last = object.lastKey(key)
        guard last >= 0 else { return insert(key: key, into: object, write) }
        removeMembers(key, from: object, before: last)
        let text = writeText(write)
        record(Change(action: .replace, container: object.index, value: last + 1, text: text, valueText: text))
    }

    /// Removes every member of that name; nothing happens if there is none.
    package mutating func remove(_ key: StaticString, from object: JSONValue) { remove(key: key.bytes, from: object) }

    /// The same for a key that is known at run time only, in UTF-8 and without escapes.
    package mutating func remove(key: Span<UInt8>, from object: JSONValue) {
        checkDocument(object)
        removeMembers(key, from: object, before: .max)
        if let pending = pendingInsertion(of: key, into: object.index) { changes.remove(at: pending) }
    }

    /// Removes this member, and not others of the same name.
    package mutating func remove(_ member: JSONMember) {
        checkDocument(member.object)
        record(Change(action: .remove, container: member.object.index, value: member.index + 1))
    }

    private mutating func removeMembers(_ key: Span<UInt8>, from object: JSONValue, before last: Int) {
        var members = object.members
        while let member = members.next(), member.index < last {
            if object.isString(object.entry(member.index), key) { remove(member) }
        }
    }

    private mutating func insert(key: Span<UInt8>, into object: JSONValue, _ write: (inout JSONWriter) -> Void) {
        var change = Change(action: .append, container: object.index, value: -1)
        let pending = pendingInsertion(of: key, into: object.index)
        change.key = pending.map { changes[$0].key } ?? append(key)
        writeMember(key: key, write, to: &change)
        if let pending { changes[pending] = change } else { changes.append(change) }
    }

    // MARK: Elements

    /// Adds an element at an array's end, after those that were added before.
    package mutating func append(to array: JSONValue, _ write: (inout JSONWriter) -> Void) {
        addElement(.append, to: array, write)
    }

    /// Adds an element before an array's first one, after those that were added there before.
    package mutating func prepend(to array: JSONValue, _ write: (inout JSONWriter) -> Void) {
        addElement(.prepend, to: array, write)
    }

    private mutating func addElement(_ action: Action, to array: JSONValue, _ write: (inout JSONWriter) -> Void) {
        precondition(array.isArray, "an element was added to a value that is not an array")
        checkDocument(array)
        let text = writeText(write)
        changes.append(Change(action: action, container: array.index, value: -1, text: text, valueText: text))
    }

    /// - Parameter array: the array that the element is in.
    package mutating func remove(_ element: JSONValue, from array: JSONValue) {
        precondition(
            array.isArray && element.index > array.index && element.index < Int(array.entry.next),
            "an element was removed from an array that it is not in")
        checkDocument(array)
        record(Change(action: .remove, container: array.index, value: element.index))
    }
}

// MARK: - What was written

extension JSONEdits {
    /// Where a member that is not in the document is waiting to be added to it.
    func pendingInsertion(of key: Span<UInt8>, into container: Int) -> Int? {
        guard let inserted else { return nil }
        return changes.firstIndex { change in
            change.value < 0 && change.container == container && inserted.span.extracting(change.key).equals(key)
        }
    }

    /// The change of a value that is in the document.
    func pendingChange(of value: Int) -> Int? {
        value > highestValue ? nil : changes.firstIndex { $0.value == value }
    }

    /// Rewrites a change's value.
    mutating func rewrite(_ index: Int, _ write: (inout JSONWriter) -> Void) {
        var change = changes[index]
        if change.value < 0 {
            let key = ByteBuffer(copying: buffer.span.extracting(change.key))
            writeMember(key: key.span, write, to: &change)
        } else {
            change.valueText = writeText(write)
            change.text = change.valueText
        }
        changes[index] = change
    }

    private mutating func record(_ change: Change) {
        if let pending = pendingChange(of: change.value) {
            changes[pending] = change
        } else {
            changes.append(change)
            highestValue = max(highestValue, change.value)
        }
    }

    private mutating func checkDocument(_ value: JSONValue) {
        let current = value.node.generation
        precondition(generation ?? current == current, "edits of one document were used with another")
        generation = current
    }

    /// Whether these are changes of the document that `value` is in.
    func isOf(_ value: JSONValue) -> Bool { generation == value.node.generation }

    private var buffer: ByteBuffer {
        mutating get {
            if let inserted { return inserted }
            let fresh = ByteBuffer(capacity: 128)
            inserted = fresh
            return fresh
        }
    }

    private mutating func append(_ key: Span<UInt8>) -> Range<Int> {
        let buffer = buffer
        let start = buffer.count
        buffer.append(key)
        return start..<buffer.count
    }

    /// - Returns: where the value is.
    private mutating func writeText(_ write: (inout JSONWriter) -> Void) -> Range<Int> {
        let buffer = buffer
        buffer.append(UInt8(ascii: ","))
        let start = buffer.count
        writeValue(write, to: buffer)
        let end = buffer.count
        buffer.append(UInt8(ascii: ","))
        return start..<end
    }

    private mutating func writeMember(key: Span<UInt8>, _ write: (inout JSONWriter) -> Void, to change: inout Change) {
        let buffer = buffer
        buffer.append(UInt8(ascii: ","))
        let start = buffer.count
        JSONText.writeQuoted(key, to: buffer)
        buffer.append(UInt8(ascii: ":"))
        let middle = buffer.count
        writeValue(write, to: buffer)
        change.text = start..<buffer.count
        change.valueText = middle..<buffer.count
        buffer.append(UInt8(ascii: ","))
    }

    private func writeValue(_ write: (inout JSONWriter) -> Void, to buffer: ByteBuffer) {
        var writer = JSONWriter(into: buffer)
        write(&writer)
        precondition(writer.isComplete, "an edit has to write exactly one value")
    }
}
