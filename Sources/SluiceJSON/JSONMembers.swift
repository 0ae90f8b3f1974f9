/// The members of an object, one after another: `while let member = members.next()`.
package struct JSONMembers: ~Escapable {
    private let object: JSONValue
    private var at: Int
    private let end: Int

    @_lifetime(copy object)
    init(of object: JSONValue) {
        self.object = object
        let entry = object.entry
        at = object.index &+ 1
        end = entry.isKind(.object) ? Int(entry.next) : 0
    }

    @_lifetime(copy self)
    package mutating func next() -> JSONMember? {
        if at >= end { return nil }
        let member = JSONMember(of: object, at)
        at = Int(object.entry(at &+ 1).next)
        return member
    }
}

/// A key and its value in an object.
package struct JSONMember: ~Escapable {
    let object: JSONValue
    /// Where the key is on the tape; its value is next.
    let index: Int

    @_lifetime(copy object)
    init(of object: JSONValue, _ index: Int) {
        self.object = object
        self.index = index
    }

    /// The key, as a string.
    package var key: JSONValue {
        @_lifetime(copy self) get { object.sibling(index) }
    }

    package var value: JSONValue {
        @_lifetime(copy self) get { object.sibling(index &+ 1) }
    }

    /// From the key's first quotation mark to the end of the value, without a comma.
    package var range: Range<Int> {
        let start = object.entry(index).range.lowerBound
        return start..<max(start, object.entry(index &+ 1).range.upperBound)
    }

    /// Whether that is its key, however it is escaped.
    package func isNamed(_ name: StaticString) -> Bool { object.isString(object.entry(index), name.bytes) }
}

/// The elements of an array, one after another: `while let element = elements.next()`.
package struct JSONElements: ~Escapable {
    private let array: JSONValue
    private var at: Int
    private let end: Int

    @_lifetime(copy array)
    init(of array: JSONValue) {
        self.array = array
        let entry = array.entry
        at = array.index &+ 1
        end = entry.isKind(.array) ? Int(entry.next) : 0
    }

    /// No elements at all.
    @_lifetime(copy value)
    init(noneOf value: JSONValue) {
        array = value
        at = 0
        end = 0
    }

    @_lifetime(copy self)
    package mutating func next() -> JSONValue? {
        if at >= end { return nil }
        let element = array.sibling(at)
        at = Int(array.entry(at).next)
        return element
    }
}
