internal import SluiceJSON

/// The texts of OpenAI's embeddings request (section 9 of the OpenAI sheet).
struct EmbeddingInput: ~Escapable {
    private let input: JSONValue

    /// - Parameter textsMax: what the provider takes in one request.
    @_lifetime(copy root)
    init(_ root: JSONValue, textsMax: Int) throws(EncodingRefusal) {
        guard let input = root["input"] else { throw EncodingRefusal("input", "The request has no input.") }
        if !input.isString {
            var count = 0
            var elements = input.elements
            while let text = elements.next() {
                guard text.isString else {
                    throw EncodingRefusal("input", "The provider takes texts, not tokens: send strings as input.")
                }
                count += 1
            }
            if count == 0 {
                throw EncodingRefusal("input", "The input must be a string, or an array of strings that is not empty.")
            }
            if count > textsMax {
                throw EncodingRefusal(
                    "input", "The provider takes at most \(textsMax) texts a request; the input has \(count).")
            }
        }
        if let format = root["encoding_format"], !format.isNull, !format.equals("float"), !format.equals("base64") {
            throw EncodingRefusal("encoding_format", "encoding_format must be float or base64.")
        }
        self.input = input
    }

    func writeArray(_ json: inout JSONWriter) {
        if !input.isString { return json.value(input) }
        json.beginArray()
        json.value(input)
        json.endArray()
    }

    /// The only text; `nil` if there are several.
    var single: JSONValue? {
        @_lifetime(copy self) get {
            if input.isString { return input }
            return input.count == 1 ? input[0] : nil
        }
    }

    /// Reports the fields that the dialect does not know.
    static func reportOthers(_ root: JSONValue, but spoken: [StaticString], _ report: inout FieldReport) {
        let common: [StaticString] = ["model", "input", "encoding_format"]
        var members = root.members
        while let member = members.next() {
            if member.value.isNull || common.contains(where: { member.isNamed($0) }) { continue }
            if spoken.contains(where: { member.isNamed($0) }) { continue }
            if let name = member.key.string { report.lose(name) }
        }
    }
}
