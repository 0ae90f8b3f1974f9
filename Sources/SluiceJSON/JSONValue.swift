internal import SluiceCore

/// A value of a scanned document: a place on a tape and the bytes, read when asked and never kept.
///
/// It cannot outlive the bytes and cannot be stored; keep its `node` instead. Reading does not allocate, except where
/// a `String` is returned.
@safe package struct JSONValue: ~Escapable {
    let bytes: Span<UInt8>
    private let tape: UnsafePointer<JSONTapeStorage>
    let index: Int
    private let generation: UInt32

    @_lifetime(copy bytes)
    @unsafe init(_ bytes: Span<UInt8>, _ tape: UnsafePointer<JSONTapeStorage>, _ node: JSONNode) {
        unsafe precondition(
            node.generation == tape.pointee.generation, "the node is of a document that the tape no longer describes")
        unsafe precondition(node.index < tape.pointee.count, "there is no document on the tape")
        self.bytes = bytes
        unsafe self.tape = tape
        index = Int(node.index)
        generation = node.generation
    }

    @_lifetime(copy other)
    @inline(__always) private init(_ other: JSONValue, _ index: Int) {
        bytes = other.bytes
        unsafe tape = other.tape
        self.index = index
        generation = other.generation
    }

    @inline(__always) var entry: JSONEntry { entry(index) }

    @inline(__always) func entry(_ index: Int) -> JSONEntry {
        unsafe assert(
            generation == tape.pointee.generation, "a value was read after its tape was used for another document")
        return unsafe tape.pointee[index]
    }

    /// Another value of the same document.
    @_lifetime(copy self)
    @inline(__always) func sibling(_ index: Int) -> JSONValue { JSONValue(self, index) }

    // MARK: What it is and where

    package var kind: JSONKind { entry.kind }
    package var isObject: Bool { entry.isKind(.object) }
    package var isArray: Bool { entry.isKind(.array) }
    package var isString: Bool { entry.isKind(.string) }
    package var isNull: Bool { entry.isKind(.null) }

    /// `nil` if it is not a boolean.
    package var bool: Bool? {
        let entry = entry
        return entry.isKind(.boolean) ? entry.has(JSONEntry.isTrue) : nil
    }

    /// Its place on the tape, to be kept.
    package var node: JSONNode {
        JSONNode(index: UInt32(truncatingIfNeeded: index), generation: generation)
    }

    /// Its bytes in the document, quotation marks and brackets included.
    package var range: Range<Int> { entry.range }

    /// The bytes themselves: a JSON text.
    package var rawBytes: Span<UInt8> {
        @_lifetime(copy self) get { bytes.extracting(entry.range) }
    }

    /// All bytes of the document, white space around its root included: what `range` and edits count in.
    package var documentBytes: Span<UInt8> {
        @_lifetime(copy self) get { bytes }
    }

    // MARK: What is in it

    /// The member of that name, the last one if there are several; `nil` if there is none, or if this is not an object.
    package subscript(_ key: StaticString) -> JSONValue? {
        @_lifetime(copy self) get {
            let found = lastKey(key.bytes)
            return found < 0 ? nil : sibling(found &+ 1)
        }
    }

    /// The member of a name that is known at run time only, in UTF-8 and without escapes.
    package subscript(key key: Span<UInt8>) -> JSONValue? {
        @_lifetime(copy self) get {
            let found = lastKey(key)
            return found < 0 ? nil : sibling(found &+ 1)
        }
    }

    /// The element at `position`, counted from 0; `nil` if there is none, or if this is not an array. Takes time in
    /// proportion to the position.
    package subscript(_ position: Int) -> JSONValue? {
        @_lifetime(copy self) get {
            var elements = elements
            var rest = position
            while let element = elements.next() {
                if rest == 0 { return element }
                rest &-= 1
            }
            return nil
        }
    }

    /// How many members have that name. More than one is legal JSON, but readers disagree on which one counts: where
    /// the answer decides who may do what, refuse the document.
    package func count(of key: StaticString) -> Int {
        var members = members
        var count = 0
        while let member = members.next() {
            if member.isNamed(key) { count &+= 1 }
        }
        return count
    }

    /// How many members or elements it has; 0 for other values. Takes time in proportion to that.
    package var count: Int {
        let entry = entry
        let isObject = entry.isKind(.object)
        guard isObject || entry.isKind(.array) else { return 0 }
        var count = 0
        var at = index &+ 1
        while at < Int(entry.next) {
            at = Int(self.entry(isObject ? at &+ 1 : at).next)
            count &+= 1
        }
        return count
    }

    /// The members in the order of the document; none if this is not an object.
    package var members: JSONMembers {
        @_lifetime(copy self) get { JSONMembers(of: self) }
    }

    /// The elements in the order of the document; none if this is not an array.
    package var elements: JSONElements {
        @_lifetime(copy self) get { JSONElements(of: self) }
    }

    /// The elements of the member of that name; none if there is no such member, or if it is not an array.
    @_lifetime(copy self)
    package func elements(of key: StaticString) -> JSONElements {
        guard let array = self[key] else { return JSONElements(noneOf: self) }
        return array.elements
    }

    /// The index of the last key of that name, or -1.
    @inline(__always) func lastKey(_ key: Span<UInt8>) -> Int {
        let object = entry
        guard object.isKind(.object) else { return -1 }
        var found = -1
        var at = index &+ 1
        while at < Int(object.next) {
            if isString(entry(at), key) { found = at }
            at = Int(entry(at &+ 1).next)
        }
        return found
    }
}
