import Foundation

/// A request or a response as it came over a wire.
struct HTTPMessage: Sendable {
    struct Field: Sendable, Equatable {
        let name: String
        let value: String
    }

    /// The first line and the fields, as they were written, without the empty line.
    var head: String
    /// Heads of informational responses that came before.
    var interim: [String] = []
    var body: [UInt8] = []
    var trailers: [Field] = []

    var startLine: String { String(head.prefix { $0 != "\r\n" }) }
    var fields: [Field] { Self.fields(head.components(separatedBy: "\r\n").dropFirst()) }
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The value of the only field of that name.
    subscript(_ name: String) -> String? {
        let values = values(name)
        return values.count == 1 ? values[0] : nil
    }

    func values(_ name: String) -> [String] { fields.filter { $0.name.lowercased() == name }.map(\.value) }

    var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }
    var method: String { String(startLine.prefix { $0 != " " }) }
    var target: String { String(startLine.split(separator: " ").dropFirst().first ?? "") }

    /// The body as JSON.
    var json: JSON { JSON(body) }

    static func fields(_ lines: some Sequence<String>) -> [Field] {
        lines.filter { !$0.isEmpty }.map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let value = line[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
            return Field(name: String(line[..<colon]), value: value)
        }
    }
}

/// Parsed JSON, by a parser that is not the proxy's.
struct JSON: @unchecked Sendable, CustomStringConvertible {
    let value: Any?

    init(_ bytes: [UInt8]) {
        value = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }

    init(_ text: some StringProtocol) { self.init(Array(text.utf8)) }
    private init(value: Any?) { self.value = value }

    subscript(_ key: String) -> JSON { JSON(value: (value as? [String: Any])?[key]) }
    subscript(_ index: Int) -> JSON {
        let array = value as? [Any] ?? []
        return JSON(value: array.indices.contains(index) ? array[index] : nil)
    }

    var isValid: Bool { value != nil }
    var isNull: Bool { value is NSNull }
    var string: String? { value as? String }
    var int: Int? { (value as? NSNumber)?.intValue }
    var bool: Bool? { (value as? NSNumber)?.boolValue }
    var array: [JSON] { (value as? [Any] ?? []).map { JSON(value: $0) } }
    var keys: [String] { ((value as? [String: Any])?.keys.sorted()) ?? [] }
    var description: String { value.map { "\($0)" } ?? "no JSON" }
}
