internal import SluiceCore
internal import SluiceJSON

/// A JSON Patch (RFC 6902) in the making: operations are applied in their order.
struct JSONPatch {
    private let buffer = ByteBuffer(capacity: 4096)
    private var json: JSONWriter

    init() {
        json = JSONWriter(into: buffer)
        json.beginArray()
    }

    /// Adds a member or an element; what an object has under that name is replaced.
    mutating func add(_ path: JSONPointer, _ value: (inout JSONWriter) -> Void) { operation("add", path, value) }

    /// Puts a value in the place of one that there is.
    mutating func replace(_ path: JSONPointer, _ value: (inout JSONWriter) -> Void) { operation("replace", path, value) }

    private mutating func operation(
        _ name: StaticString, _ path: JSONPointer, _ value: (inout JSONWriter) -> Void
    ) {
        json.object { json in
            json.key("op")
            json.string(name)
            json.key("path")
            json.string(path.text)
            json.key("value")
            value(&json)
        }
    }

    /// The document.
    consuming func finished() -> ByteBuffer {
        json.endArray()
        return buffer
    }
}

/// A place in a document (RFC 6901): names and numbers, of which `~` and `/` are written as `~0` and `~1`.
struct JSONPointer: Equatable {
    private(set) var text = ""

    static let root = JSONPointer()

    func appending(_ name: String) -> JSONPointer {
        var pointer = self
        pointer.text += "/"
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": pointer.text += "~0"
            case "/": pointer.text += "~1"
            default: pointer.text.unicodeScalars.append(scalar)
            }
        }
        return pointer
    }

    func appending(_ index: Int) -> JSONPointer { appending("\(index)") }
}
