internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON

/// The platform's envelope as a form.
enum PlatformForm {
    /// - Returns: the envelope as JSON; `nil` if the body is no form.
    static func json(_ body: ByteBuffer, _ context: RequestContext) throws(Rejection) -> ByteBuffer? {
        // JSON under another name: curl calls every -d a form.
        if body.span.trimmedFirst == UInt8(ascii: "{") { return nil }
        let fields = context.exchange.head.fields
        guard let index = fields.index(of: .contentType) else { return nil }
        let type = fields.value(at: index)
        do throws(FormError) {
            if type.hasPrefixIgnoringCase("application/x-www-form-urlencoded") {
                return try envelope(urlEncoded(body))
            }
            if type.hasPrefixIgnoringCase("multipart/form-data") { return try envelope(multipart(body, type)) }
        } catch {
            throw Rejection(.caller, error.status, code: "invalid_form", "\(error.message)")
        }
        return nil
    }

    private struct Field {
        let name: String
        let value: String
    }

    private static func urlEncoded(_ body: ByteBuffer) throws(FormError) -> [Field] {
        let form = try URLEncodedForm(body.span)
        return (0..<form.count).map {
            Field(name: String(decoding: form.name(at: $0)), value: String(decoding: form.value(at: $0)))
        }
    }

    private static func multipart(_ body: ByteBuffer, _ type: Span<UInt8>) throws(FormError) -> [Field] {
        let form = try MultipartForm(body.span, contentType: type)
        return form.parts.map {
            Field(name: String(decoding: $0.name.span), value: String(decoding: body.span.extracting($0.body)))
        }
    }

    private static func envelope(_ fields: [Field]) throws(FormError) -> ByteBuffer {
        var top: [Field] = []
        var parameters: [Field] = []
        var user: [Field] = []
        for field in fields {
            switch field.name {
            case "model", "request_id": top.append(field)
            case "parameters": parameters += try members(of: field.value)
            case "user_info": user += try members(of: field.value)
            case "user_id", "user_role": user.append(field)
            default:
                if let name = member(field.name, of: "user_info") {
                    user.append(Field(name: name, value: field.value))
                } else {
                    parameters.append(
                        Field(name: member(field.name, of: "parameters") ?? field.name, value: field.value))
                }
            }
        }
        return write(top, parameters, user)
    }

    /// `parameters.prompt` and `parameters[prompt]` are `prompt`.
    private static func member(_ name: String, of object: String) -> String? {
        if name.hasPrefix(object + ".") { return String(name.dropFirst(object.count + 1)) }
        if name.hasPrefix(object + "["), name.hasSuffix("]") {
            return String(name.dropFirst(object.count + 1).dropLast())
        }
        return nil
    }

    /// The members of an object that stands in a field as JSON text.
    private static func members(of text: String) throws(FormError) -> [Field] {
        let tape = JSONTape()
        let bytes = text.utf8Span.span
        guard (try? tape.scan(bytes)) != nil else { return [] }
        var fields: [Field] = []
        let root = tape.root(over: bytes)
        if !root.isObject { return [] }
        var members = root.members
        while let member = members.next() {
            if fields.count == URLEncodedForm.fieldsMax { throw .tooManyFields }
            guard let name = member.key.string else { continue }
            fields.append(Field(name: name, value: String(decoding: member.value.rawBytes)))
        }
        return fields
    }

    private static func write(_ top: [Field], _ parameters: [Field], _ user: [Field]) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 512)
        var json = JSONWriter(into: buffer)
        json.beginObject()
        for field in top {
            json.key(field.name.utf8Span.span)
            json.string(field.value)
        }
        json.key("parameters")
        write(parameters, &json)
        json.key("user_info")
        write(user, &json)
        json.endObject()
        return buffer
    }

    private static func write(_ fields: [Field], _ json: inout JSONWriter) {
        let tape = JSONTape()
        json.beginObject()
        for field in fields {
            json.key(field.name.utf8Span.span)
            // A form has only text: what reads as a number, a truth value, an array or an object is one, but for what must be text.
            let bytes = field.value.utf8Span.span
            let mustBeText = field.name == "prompt" || field.name == "prompt_id" || field.name.hasPrefix("user_")
            let isText = mustBeText && bytes.firstIndex(of: UInt8(ascii: "\"")) != 0
            if !isText, (try? tape.scan(bytes)) != nil { json.raw(bytes) } else { json.string(field.value) }
        }
        json.endObject()
    }
}

extension Span where Element == UInt8 {
    /// The first byte that is no white space.
    fileprivate var trimmedFirst: UInt8? {
        for index in indices where self[index] > ASCII.space { return self[index] }
        return nil
    }
}
