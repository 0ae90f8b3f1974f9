/// Members of an object whose values are single ones.
extension JSONWriter {
    package mutating func member(_ key: StaticString, _ value: Int) {
        self.key(key)
        int(value)
    }

    package mutating func member(_ key: StaticString, _ value: Bool) {
        self.key(key)
        bool(value)
    }

    package mutating func member(_ key: StaticString, _ value: String) {
        self.key(key)
        string(value)
    }
}
