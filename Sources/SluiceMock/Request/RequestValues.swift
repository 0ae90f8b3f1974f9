internal import SluiceJSON

/// Reading members of a request, with OpenAI's errors for what is wrong with them. `null` counts as absent.
extension JSONValue {
    @_lifetime(copy self)
    func given(_ name: StaticString) -> JSONValue? {
        guard let value = self[name], !value.isNull else { return nil }
        return value
    }

    func bool(_ name: StaticString) throws(APIError) -> Bool? {
        guard let value = given(name) else { return nil }
        guard let bool = value.bool else { throw .invalidType("\(name)", expected: "a boolean") }
        return bool
    }

    func int(_ name: StaticString, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let value = given(name) else { return nil }
        guard let int = value.int else { throw .invalidType("\(name)", expected: "an integer") }
        guard range.contains(int) else {
            throw .invalidValue(
                "\(name)", "expected a value from \(range.lowerBound) to \(range.upperBound), but got \(int)")
        }
        return int
    }

    func check(_ name: StaticString, in range: ClosedRange<Double>) throws(APIError) {
        guard let value = given(name) else { return }
        guard let number = value.double else { throw .invalidType("\(name)", expected: "a decimal") }
        if !range.contains(number) {
            throw .invalidValue(
                "\(name)", "expected a value from \(range.lowerBound) to \(range.upperBound), but got \(number)")
        }
    }

    func text(_ name: StaticString) throws(APIError) -> String? {
        guard let value = given(name) else { return nil }
        guard let text = value.string else { throw .invalidType("\(name)", expected: "a string") }
        return text
    }

    func required(_ name: StaticString) throws(APIError) -> String {
        guard let text = try text(name) else { throw .missing("\(name)") }
        return text
    }

    /// The JSON text of a member.
    func rawText(_ name: StaticString) -> [UInt8]? {
        guard let value = given(name) else { return nil }
        return Array(copying: value.rawBytes)
    }

    /// The JSON text's length; 0 if there is none.
    func rawByteCount(_ name: StaticString) -> Int {
        guard let value = given(name) else { return 0 }
        return value.range.count
    }

    /// The first of two members that is there.
    @_lifetime(copy self)
    func either(_ name: StaticString, _ other: StaticString) -> JSONValue? {
        if let value = self[name] { return value }
        return self[other]
    }

    /// `stop`: a string, or up to four.
    func stops() throws(APIError) -> [[UInt8]] {
        guard let value = given("stop") else { return [] }
        if let text = value.string { return [Array(text.utf8)] }
        guard value.isArray else { throw .invalidType("stop", expected: "a string or an array of strings") }
        if value.count > 4 { throw .invalidValue("stop", "expected at most 4 sequences") }
        var stops: [[UInt8]] = []
        var elements = value.elements
        while let element = elements.next() { if let text = element.string { stops.append(Array(text.utf8)) } }
        return stops
    }
}
