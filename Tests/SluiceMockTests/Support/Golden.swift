import Foundation

/// The transcripts of the provider's fact sheet.
enum Golden {
    static func text(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: folder.appendingPathComponent("Golden/\(name)"), encoding: .utf8)
    }

    /// A JSON file as one line, without its last line end.
    static func line(_ name: String) throws -> String {
        try text(name).trimmingCharacters(in: .newlines)
    }

    static func json(_ name: String) throws -> JSONThing { try JSONThing(text(name)) }

    /// The events of a stream, each with its line ends.
    static func events(_ name: String) throws -> [String] { JSONThing.events(try text(name)) }
}

/// JSON as Foundation reads it: an implementation that is not ours.
struct JSONThing: CustomStringConvertible {
    let value: Any

    init(_ value: Any) { self.value = value }

    init(_ text: String) throws {
        value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }

    static func events(_ stream: String) -> [String] {
        stream.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { $0 + "\n\n" }
    }

    /// What the `data:` lines of a stream hold, but for `[DONE]`.
    static func payloads(_ stream: String) throws -> [JSONThing] {
        try events(stream).flatMap { $0.split(separator: "\n") }.filter { $0.hasPrefix("data: {") }
            .map { try JSONThing(String($0.dropFirst(6))) }
    }

    subscript(_ key: String) -> JSONThing? { (value as? [String: Any])?[key].map { JSONThing($0) } }
    subscript(_ index: Int) -> JSONThing? {
        guard let array = value as? [Any], array.indices.contains(index) else { return nil }
        return JSONThing(array[index])
    }

    var string: String? { value as? String }
    var int: Int? { (value as? NSNumber)?.intValue }
    var bool: Bool? { (value as? NSNumber)?.boolValue }
    var double: Double? { (value as? NSNumber)?.doubleValue }
    var isNull: Bool { value is NSNull }
    var count: Int { (value as? [Any])?.count ?? (value as? [String: Any])?.count ?? 0 }
    var keys: Set<String> { Set((value as? [String: Any] ?? [:]).keys) }
    var elements: [JSONThing] { (value as? [Any] ?? []).map { JSONThing($0) } }
    var description: String { "\(value)" }

    /// Whether everything that `other` has is here too, of the same kind: more members may be.
    func covers(_ other: JSONThing) -> Bool {
        if let members = other.value as? [String: Any] {
            return members.allSatisfy { key, value in self[key].map { $0.covers(JSONThing(value)) } ?? false }
        }
        if let elements = other.value as? [Any] {
            return value is [Any] && count == elements.count
                && zip(self.elements, elements).allSatisfy { $0.covers(JSONThing($1)) }
        }
        if other.value is String { return value is String }
        if other.value is NSNull { return value is NSNull }
        return value is NSNumber
    }
}
