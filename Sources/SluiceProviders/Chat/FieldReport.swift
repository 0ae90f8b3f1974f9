internal import SluiceCore
package import SluiceJSON

/// What of a request its target cannot express: never lost in silence (theme 3.6).
package struct FieldReport: Sendable {
    /// What happens to a request that asks for more than its target can do.
    package enum Mode: String, Sendable, CaseIterable {
        /// It is refused before the call.
        case strict
        /// It goes out without, and the reply names what was lost.
        case warn
        /// It goes out without; the log and the metrics say so.
        case drop
    }

    /// Names of fields as paths: `seed`, `messages[2].content[0].input_audio`.
    package private(set) var lost: [String] = []
    /// What was changed so that the target takes it, for people: `response_format: by a forced tool`.
    package private(set) var adapted: [String] = []
    /// A request may name thousands of things that are lost.
    private static let countMax = 32

    package init() {}

    package mutating func lose(_ field: String) { Self.add(field, to: &lost) }
    package mutating func adapt(_ field: String) { Self.add(field, to: &adapted) }

    /// A header field's value: commas stand between what is named, and nowhere else.
    package static func fieldValue(_ names: [String]) -> String {
        names.map { name in
            name.utf8.contains(UInt8(ascii: ",")) ? String(name.map { $0 == "," ? ";" : $0 }) : name
        }.joined(separator: ", ")
    }

    private static func add(_ field: String, to list: inout [String]) {
        if list.count >= countMax { return }
        let field = showable(field)
        if !list.contains(field) { list.append(field) }
    }

    /// The longest name that is shown, in bytes.
    private static let byteCountMax = 128

    /// Names are written into header fields, and the application may have chosen them.
    private static func showable(_ field: String) -> String {
        if field.utf8.count <= byteCountMax, field.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) { return field }
        return String(
            decoding: field.utf8.prefix(byteCountMax).map { 0x20...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}

/// Why a request cannot be put into a target's words at all: the caller's fault, told before the call.
package struct EncodingRefusal: Error, Sendable {
    /// The field in question, as a path.
    package let param: String
    package let message: String

    package init(_ param: String, _ message: String) {
        self.param = param
        self.message = message
    }
}

extension FieldReport {
    /// Whether a field says only what holds without it: leaving it out loses nothing.
    package static func holdsAnyway(_ field: String, _ value: JSONValue) -> Bool {
        if value.isNull || (value.isArray || value.isObject) && value.count == 0 { return true }
        switch field {
        case "model", "stream", "stream_options": return true
        case "n", "temperature", "top_p", "best_of": return value.double == 1
        case "presence_penalty", "frequency_penalty", "top_logprobs": return value.double == 0
        case "store", "logprobs", "echo": return value.bool == false
        case "parallel_tool_calls": return value.bool == true
        case "tool_choice": return value.equals("auto")
        case "service_tier": return value.equals("auto") || value.equals("default")
        case "verbosity": return value.equals("medium")
        case "encoding_format": return value.equals("float")
        case "response_format": return value["type"]?.equals("text") == true
        case "modalities": return value.count == 1 && value[0]?.equals("text") == true
        default: return false
        }
    }
}
