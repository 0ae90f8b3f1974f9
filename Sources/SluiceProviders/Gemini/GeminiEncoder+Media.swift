internal import SluiceCore
internal import SluiceJSON

/// Images, sound and files: as data, or as where to find them (section 9 of the sheet).
extension GeminiEncoder {
    mutating func writeImage(_ part: borrowing ChatPart, _ path: String) throws(EncodingRefusal) {
        guard let url = part.imageURL else { throw EncodingRefusal("\(path).image_url", "The image has no URL.") }
        open(.user)
        var out = json
        try writeMedia(url, path, type: nil, detail: part.value["image_url"]?["detail"], &out)
        json = out
    }

    mutating func writeAudio(_ part: borrowing ChatPart, _ path: String) throws(EncodingRefusal) {
        guard let data = part.value["input_audio"]?["data"], data.isString else {
            throw EncodingRefusal("\(path).input_audio.data", "The sound has no data.")
        }
        let format = part.value["input_audio"]?["format"]?.string ?? "wav"
        open(.user)
        json.beginObject()
        json.key("inlineData")
        json.beginObject()
        json.key("mimeType")
        json.string("audio/" + (format == "mp3" ? "mpeg" : format))
        json.key("data")
        json.value(data)
        json.endObject()
        json.endObject()
    }

    mutating func writeFile(_ part: borrowing ChatPart, _ path: String) throws(EncodingRefusal) {
        let file = part.value["file"]
        let type = file?["filename"]?.string.flatMap(Self.mediaType(ofFile:))
        if let data = file?["file_data"] {
            open(.user)
            var out = json
            try writeMedia(data, "\(path).file", type: type ?? "application/pdf", detail: nil, &out)
            json = out
            return
        }
        guard let id = file?["file_id"], let uri = id.string, uri.hasPrefix("https://") || uri.hasPrefix("gs://") else {
            throw EncodingRefusal(
                "\(path).file.file_id",
                "The provider knows files by the URI that its own files API gave them. Send file_data instead.")
        }
        open(.user)
        Self.writeFileData(uri, type ?? "application/pdf", &json)
    }

    /// Writes data where they are given, or where to find them.
    ///
    /// - Parameter type: of what is not a data URL, where it is known.
    mutating func writeMedia(
        _ url: JSONValue, _ path: String, type: String?, detail: JSONValue?, _ out: inout JSONWriter
    ) throws(EncodingRefusal) {
        let text = ByteBuffer(capacity: 64)
        if let bytes = url.unescapedBytes { return try writeMedia(bytes, path, type, detail, &out) }
        guard url.appendString(to: text) else { throw EncodingRefusal(path, "What was sent is no string.") }
        try writeMedia(text.span, path, type, detail, &out)
    }

    mutating func writeMedia(
        _ url: Span<UInt8>, _ path: String, _ type: String?, _ detail: JSONValue?, _ out: inout JSONWriter
    ) throws(EncodingRefusal) {
        if let data = DataURL(url) {
            out.beginObject()
            out.key("inlineData")
            out.beginObject()
            out.key("mimeType")
            out.string(data.mediaType)
            out.key("data")
            out.string(data.base64)
            out.endObject()
            writeDetail(detail, path, &out)
            out.endObject()
            return
        }
        if url.hasPrefix("https://") || url.hasPrefix("http://") || url.hasPrefix("gs://") {
            guard capabilities.imageURLs else {
                throw EncodingRefusal(path, "The model takes images only as data URLs (data:image/png;base64,…).")
            }
            let uri = String(decoding: url)
            Self.writeFileData(uri, type ?? Self.mediaType(ofFile: uri) ?? "image/jpeg", &out)
            if detail != nil, detail?.equals("auto") != true { report.lose("\(path).image_url.detail") }
            return
        }
        guard let type else { throw EncodingRefusal(path, "An image must be a data URL with base64, or an https URL.") }
        // Bare base64, as some applications give files.
        out.beginObject()
        out.key("inlineData")
        out.beginObject()
        out.key("mimeType")
        out.string(type)
        out.key("data")
        out.string(url)
        out.endObject()
        out.endObject()
    }

    private static func writeFileData(_ uri: String, _ type: String, _ out: inout JSONWriter) {
        out.beginObject()
        out.key("fileData")
        out.beginObject()
        out.key("mimeType")
        out.string(type)
        out.key("fileUri")
        out.string(uri)
        out.endObject()
        out.endObject()
    }

    private mutating func writeDetail(_ detail: JSONValue?, _ path: String, _ out: inout JSONWriter) {
        guard let detail, !detail.equals("auto") else { return }
        guard isGemini3, detail.equals("low") || detail.equals("high") else {
            return report.lose("\(path).image_url.detail")
        }
        out.key("mediaResolution")
        out.beginObject()
        out.key("level")
        out.string(
            detail.equals("low") ? "MEDIA_RESOLUTION_LOW" as StaticString : "MEDIA_RESOLUTION_HIGH" as StaticString)
        out.endObject()
    }

    private static let mediaTypes: [String: String] = [
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
        "heic": "image/heic", "heif": "image/heif", "pdf": "application/pdf", "txt": "text/plain",
        "md": "text/markdown",
        "html": "text/html", "csv": "text/csv", "xml": "text/xml", "json": "application/json", "wav": "audio/wav",
        "mp3": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg", "mp4": "video/mp4", "mov": "video/quicktime",
        "webm": "video/webm",
    ]

    /// By the ending of a file's name, or of a URL's path.
    private static func mediaType(ofFile name: String) -> String? {
        let path = name.prefix { $0 != "?" && $0 != "#" }
        guard let dot = path.lastIndex(of: ".") else { return nil }
        return mediaTypes[path[path.index(after: dot)...].lowercased()]
    }
}
