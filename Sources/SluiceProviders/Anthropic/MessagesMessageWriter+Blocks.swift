internal import SluiceCore
internal import SluiceJSON

/// Text, images and documents.
extension MessagesMessageWriter {
    mutating func writeBlock(_ block: JSONValue, _ path: String) throws(EncodingRefusal) {
        guard let type = block["type"]?.unescapedBytes else {
            throw EncodingRefusal(path + ".type", "The block has no type.")
        }
        if type.equals("text") {
            guard let text = block["text"], text.isString else {
                throw EncodingRefusal(path + ".text", "The text is missing.")
            }
            return writeText(text, of: block)
        }
        if type.equals("image") { return try writeImage(block, path) }
        if type.equals("document") { return try writeDocument(block, path) }
        if type.equals("search_result") {
            json.beginObject()
            json.key("type")
            json.string("text")
            json.key("text")
            json.beginString()
            appendSearchResult(block)
            json.endString()
            copyCacheControl(of: block)
            return json.endObject()
        }
        throw EncodingRefusal(path, "The provider has no place for a block of this type: \(String(decoding: type)).")
    }

    mutating func writeImage(_ block: JSONValue, _ path: String) throws(EncodingRefusal) {
        let source = block["source"]
        let url = source?["url"]
        let data = source?["data"]
        guard url?.isString == true || data?.isString == true && source?["media_type"]?.isString == true else {
            throw EncodingRefusal(
                path + ".source", "The image must be there as base64 or as a url: files are known to Anthropic only.")
        }
        json.beginObject()
        json.key("type")
        json.string("image_url")
        json.key("image_url")
        json.beginObject()
        json.key("url")
        if let url, url.isString { json.value(url) } else { writeDataURL(source) }
        json.endObject()
        copyCacheControl(of: block)
        json.endObject()
    }

    mutating func writeDataURL(_ source: JSONValue?) {
        json.beginString()
        json.appendToString("data:".utf8Span.span)
        if let type = source?["media_type"] { json.appendToString(contentsOf: type) }
        json.appendToString(";base64,".utf8Span.span)
        if let data = source?["data"] { json.appendToString(contentsOf: data) }
        json.endString()
    }

    mutating func writeDocument(_ block: JSONValue, _ path: String) throws(EncodingRefusal) {
        let source = block["source"]
        if source?["type"]?.equals("text") == true, let text = source?["data"], text.isString {
            return writeText(text, of: block)
        }
        if source?["type"]?.equals("content") == true, let content = source?["content"] {
            if content.isString { return writeText(content, of: block) }
            var place = -1
            var parts = content.elements
            while let part = parts.next() {
                place += 1
                // One level: a document has no documents in it.
                let inner = "\(path).source.content[\(place)]"
                guard part["type"]?.equals("text") == true || part["type"]?.equals("image") == true else {
                    throw EncodingRefusal(inner, "A document has text and images in it only.")
                }
                try writeBlock(part, inner)
            }
            return
        }
        guard source?["type"]?.equals("base64") == true, source?["data"]?.isString == true,
            source?["media_type"]?.isString == true
        else {
            throw EncodingRefusal(path + ".source", "The document must be there as base64 or as text.")
        }
        json.beginObject()
        json.key("type")
        json.string("file")
        json.key("file")
        json.beginObject()
        json.key("filename")
        if let title = block["title"], title.isString { json.value(title) } else { json.string("document.pdf") }
        json.key("file_data")
        writeDataURL(source)
        json.endObject()
        copyCacheControl(of: block)
        json.endObject()
    }
}
