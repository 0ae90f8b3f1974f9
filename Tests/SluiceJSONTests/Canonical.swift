import Foundation
import SluiceJSON

/// What a document says, as text: sorted keys, numbers as doubles, the last of several members with one name.
enum Canonical {
    static func text(_ value: JSONValue) -> String {
        switch value.kind {
        case .object:
            var object: [String: String] = [:]
            var members = value.members
            while let member = members.next() { object[member.key.string ?? "?"] = text(member.value) }
            return text(object)
        case .array:
            var array: [String] = []
            var elements = value.elements
            while let element = elements.next() { array.append(text(element)) }
            return "\(array)"
        case .string: return value.string.map(\.debugDescription) ?? "?"
        case .number: return value.double.map(text) ?? "?"
        case .boolean: return value.bool.map(\.description) ?? "?"
        case .null: return "null"
        }
    }

    /// The same, read by `JSONSerialization`.
    static func textByFoundation(_ document: [UInt8]) throws -> String {
        try text(JSONSerialization.jsonObject(with: Data(document), options: .fragmentsAllowed))
    }

    private static func text(_ value: Any) -> String {
        switch value {
        case let object as [String: Any]: text(object.mapValues { text($0) })
        case let array as [Any]: "\(array.map { text($0) })"
        case let string as String: string.debugDescription
        case let number as NSNumber:
            unsafe String(cString: number.objCType) == "c" ? number.boolValue.description : text(number.doubleValue)
        default: "null"
        }
    }

    /// Without the sign of a zero, which Foundation loses where there is no fraction.
    private static func text(_ number: Double) -> String { number == 0 ? "0" : "\(number)" }

    private static func text(_ object: [String: String]) -> String {
        "\(object.sorted { $0.key < $1.key }.map { $0.key.debugDescription + ":" + $0.value })"
    }
}
