internal import SluiceCore
internal import SluiceJSON

/// Writes images and documents (sections 4 and 10 of the Anthropic sheet).
struct AnthropicMediaWriter {
    private let capabilities: Capabilities
    var json: JSONWriter

    init(_ capabilities: Capabilities, _ json: JSONWriter) {
        self.capabilities = capabilities
        self.json = json
    }

    // MARK: Images

    mutating func writeImage(_ url: JSONValue?, of part: JSONValue, _ path: String) throws(EncodingRefusal) {
        guard let url, url.isString else {
            throw EncodingRefusal(path + ".image_url", "The image has no url.")
        }
        json.beginObject()
        json.key("type")
        json.string("image")
        json.key("source")
        if let plain = url.unescapedBytes {
            try writeImage(plain, path)
        } else {
            let text = ByteBuffer(capacity: url.range.count)
            url.appendString(to: text)
            try writeImage(text.span, path)
        }
        copyExtensions(of: part)
        json.endObject()
    }

    private mutating func writeImage(_ url: Span<UInt8>, _ path: String) throws(EncodingRefusal) {
        if let data = DataURL(url) {
            let type = data.mediaType == "image/jpg" ? "image/jpeg" : data.mediaType
            guard ["image/jpeg", "image/png", "image/gif", "image/webp"].contains(type) else {
                throw EncodingRefusal(
                    path + ".image_url.url", "Anthropic's models see JPEG, PNG, GIF and WebP, not \(type).")
            }
            return writeSource(type, data.base64)
        }
        guard url.hasPrefixIgnoringCase("https://") || url.hasPrefixIgnoringCase("http://") else {
            throw EncodingRefusal(
                path + ".image_url.url", "The image's url must be a data: URL with base64, or https:.")
        }
        guard capabilities.imageURLs else {
            throw EncodingRefusal(path + ".image_url.url", "The model takes images as data: URLs only.")
        }
        json.beginObject()
        json.key("type")
        json.string("url")
        json.key("url")
        json.string(url)
        json.endObject()
    }

    private mutating func writeSource(_ type: String, _ base64: Span<UInt8>) {
        json.beginObject()
        json.key("type")
        json.string("base64")
        json.key("media_type")
        json.string(type)
        json.key("data")
        json.string(base64)
        json.endObject()
    }

    // MARK: Documents

    mutating func writeFile(_ part: JSONValue, _ path: String) throws(EncodingRefusal) {
        let file = part["file"]
        guard let data = file?["file_data"], data.isString else {
            throw EncodingRefusal(
                path + ".file",
                "A file must be there as file_data: those that were uploaded elsewhere are not known to Anthropic.")
        }
        let text = ByteBuffer(capacity: data.range.count)
        data.appendString(to: text)
        json.beginObject()
        json.key("type")
        json.string("document")
        json.key("source")
        if let url = DataURL(text.span) {
            guard url.mediaType == "application/pdf" else {
                throw EncodingRefusal(
                    path + ".file.file_data", "Anthropic's models read PDF files, not \(url.mediaType).")
            }
            writeSource(url.mediaType, url.base64)
        } else if !text.span.hasPrefixIgnoringCase("data:"),
            file?["filename"]?.string?.lowercased().hasSuffix(".pdf") == true
        {
            writeSource("application/pdf", text.span)
        } else {
            throw EncodingRefusal(path + ".file.file_data", "file_data must be a data: URL with base64.")
        }
        if let name = file?["filename"], name.isString {
            json.key("title")
            json.value(name)
        }
        copyExtensions(of: part)
        json.endObject()
    }

    private mutating func copyExtensions(of part: JSONValue) {
        for name in ["cache_control", "citations", "context"] as [StaticString] {
            guard let value = part[name], !value.isNull else { continue }
            json.key(name)
            json.value(value)
        }
    }
}
