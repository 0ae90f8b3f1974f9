internal import SluiceCore
internal import SluiceJSON

extension JSONWriter {
    mutating func stringOrNull(_ text: String?) {
        if let text { string(text) } else { null() }
    }

    mutating func nullMember(_ name: StaticString) {
        key(name)
        null()
    }

    mutating func member(_ name: StaticString, _ text: String?) {
        key(name)
        stringOrNull(text)
    }

    mutating func member(_ name: StaticString, _ text: Span<UInt8>) {
        key(name)
        string(text)
    }
}
