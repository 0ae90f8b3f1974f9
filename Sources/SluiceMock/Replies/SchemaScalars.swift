internal import SluiceCore
internal import SluiceJSON

/// Strings and numbers within the bounds of a schema.
enum SchemaScalars {
    /// The nearest number to 1 that the bounds allow.
    static func writeInteger(_ schema: JSONValue, _ json: inout JSONWriter) {
        var value = 1.0
        if let least = lowest(schema, step: 1) { value = max(value, least.rounded(.up)) }
        if let most = highest(schema, step: 1) { value = min(value, most.rounded(.down)) }
        if let factor = schema["multipleOf"]?.double, factor > 0 { value = (value / factor).rounded(.up) * factor }
        json.int(Int(exactly: value) ?? 1)
    }

    static func writeNumber(_ schema: JSONValue, _ json: inout JSONWriter) {
        var value = 1.5
        if let least = lowest(schema, step: 0.5) { value = max(value, least) }
        if let most = highest(schema, step: 0.5) { value = min(value, most) }
        if let low = lowest(schema, step: 0), let high = highest(schema, step: 0), value <= low || value >= high {
            value = low + (high - low) / 2
        }
        if let factor = schema["multipleOf"]?.double, factor > 0 { value = (value / factor).rounded(.up) * factor }
        json.double(value.isFinite ? value : 1.5)
    }

    /// - Parameter step: how far from an exclusive bound to stay.
    private static func lowest(_ schema: JSONValue, step: Double) -> Double? {
        if let bound = schema["exclusiveMinimum"]?.double { return bound + step }
        return schema["minimum"]?.double
    }

    private static func highest(_ schema: JSONValue, step: Double) -> Double? {
        if let bound = schema["exclusiveMaximum"]?.double { return bound - step }
        return schema["maximum"]?.double
    }

    static func writeString(_ schema: JSONValue, _ json: inout JSONWriter) {
        if let format = schema["format"], let text = text(inFormat: format) { return json.string(text) }
        let least = min(max(schema["minLength"]?.int ?? 0, 0), SchemaInstance.lengthMax)
        let most = max(schema["maxLength"]?.int ?? 4, 0)
        var text = String("text".prefix(most))
        while text.count < least { text += "x" }
        json.string(text)
    }

    private static func text(inFormat format: JSONValue) -> String? {
        switch format.string {
        case "date-time": "2026-01-02T03:04:05Z"
        case "date": "2026-01-02"
        case "time": "03:04:05Z"
        case "duration": "PT1H"
        case "email": "someone@example.com"
        case "hostname": "example.com"
        case "ipv4": "192.0.2.1"
        case "ipv6": "2001:db8::1"
        case "uuid": "00000000-0000-4000-8000-000000000000"
        case "uri", "url": "https://example.com/"
        default: nil
        }
    }

    /// A part of a JSON Pointer without its escapes: `~1` is a slash, `~0` a tilde (RFC 6901 §4).
    static func unescapedPointer(_ part: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while index < part.count {
            if part[index] == UInt8(ascii: "~"), index + 1 < part.count {
                bytes.append(part[index + 1] == UInt8(ascii: "1") ? UInt8(ascii: "/") : UInt8(ascii: "~"))
                index += 2
            } else {
                bytes.append(part[index])
                index += 1
            }
        }
        return bytes
    }
}
