internal import SluiceCore
internal import SluiceJSON

/// Images, documents and sound: data only, in base64; no URL but S3's (section 2 of the sheet).
extension ConverseEncoder {
    mutating func writeImage(_ part: borrowing ChatPart, _ path: String, _ out: inout JSONWriter)
        throws(EncodingRefusal)
    {
        guard let url = part.imageURL, url.isString else {
            throw EncodingRefusal("\(path).image_url", "The image has no URL.")
        }
        if let detail = part.value["image_url"]?["detail"], !detail.equals("auto") {
            report.lose("\(path).image_url.detail")
        }
        let text = ByteBuffer(capacity: 64)
        if let bytes = url.unescapedBytes { return try writeImage(bytes, path, &out) }
        url.appendString(to: text)
        try writeImage(text.span, path, &out)
    }

    private static let imageFormats: [String: StaticString] = [
        "image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp",
    ]

    func writeImage(_ url: Span<UInt8>, _ path: String, _ out: inout JSONWriter) throws(EncodingRefusal) {
        if url.hasPrefix("s3://") {
            let uri = String(decoding: url)
            let type = "image/" + (uri.split(separator: ".").last.map { $0.lowercased() } ?? "")
            guard let format = Self.imageFormats[type] else { throw Self.unknownImage(path) }
            return Self.write("image", format, name: nil, &out) { json in
                json.key("s3Location")
                json.object { json in
                    json.key("uri")
                    json.string(uri)
                }
            }
        }
        guard let data = DataURL(url) else {
            throw EncodingRefusal(
                "\(path).image_url",
                "The provider takes images only as data URLs (data:image/png;base64,…) or s3:// locations.")
        }
        guard let format = Self.imageFormats[data.mediaType] else { throw Self.unknownImage(path) }
        Self.write("image", format, name: nil, &out) { json in
            json.key("bytes")
            json.string(data.base64)
        }
    }

    private static func unknownImage(_ path: String) -> EncodingRefusal {
        EncodingRefusal("\(path).image_url", "The provider takes images as PNG, JPEG, GIF or WebP.")
    }

    static func write(
        _ kind: StaticString, _ format: StaticString, name: String?, _ out: inout JSONWriter,
        source: (inout JSONWriter) -> Void
    ) {
        out.beginObject()
        out.key(kind)
        out.beginObject()
        out.key("format")
        out.string(format)
        if let name {
            out.key("name")
            out.string(name)
        }
        out.key("source")
        out.object(source)
        out.endObject()
        out.endObject()
    }

    // MARK: Sound

    private static let audioFormats: [String: StaticString] = [
        "wav": "wav", "mp3": "mp3", "flac": "flac", "ogg": "ogg", "opus": "opus", "aac": "aac", "m4a": "m4a",
        "mp4": "mp4", "webm": "webm",
    ]

    func writeAudio(_ part: borrowing ChatPart, _ path: String, _ out: inout JSONWriter) throws(EncodingRefusal) {
        let audio = part.value["input_audio"]
        guard let data = audio?["data"], data.isString,
            let format = Self.audioFormats[audio?["format"]?.string ?? "wav"]
        else {
            throw EncodingRefusal(
                "\(path).input_audio", "The sound has no data, or a format that the provider does not know.")
        }
        Self.write("audio", format, name: nil, &out) { json in
            json.key("bytes")
            json.value(data)
        }
    }

    // MARK: Documents

    private static let documentFormats: [String: StaticString] = [
        "pdf": "pdf", "csv": "csv", "doc": "doc", "docx": "docx", "xls": "xls", "xlsx": "xlsx", "html": "html",
        "htm": "html",
        "txt": "txt", "md": "md", "application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/plain": "txt",
        "text/markdown": "md", "application/msword": "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/vnd.ms-excel": "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    ]

    mutating func writeDocument(_ part: borrowing ChatPart, _ path: String, _ out: inout JSONWriter)
        throws(EncodingRefusal)
    {
        guard let file = part.value["file"], let given = file["file_data"], given.isString else {
            throw EncodingRefusal("\(path).file", "The provider does not know the file: send its content as file_data.")
        }
        let filename = file["filename"]?.string ?? ""
        let text = ByteBuffer(capacity: 64)
        if let bytes = given.unescapedBytes { return try writeDocument(bytes, filename, path, &out) }
        given.appendString(to: text)
        try writeDocument(text.span, filename, path, &out)
    }

    mutating func writeDocument(
        _ given: Span<UInt8>, _ filename: String, _ path: String, _ out: inout JSONWriter
    ) throws(EncodingRefusal) {
        let data = DataURL(given)
        let ending = filename.split(separator: ".").dropFirst().last.map { $0.lowercased() } ?? ""
        if let type = data?.mediaType, let format = Self.imageFormats[type], let data {
            return Self.write("image", format, name: nil, &out) { json in
                json.key("bytes")
                json.string(data.base64)
            }
        }
        var format = Self.documentFormats[ending]
        if let type = data?.mediaType, let known = Self.documentFormats[type] { format = known }
        guard let format else {
            throw EncodingRefusal(
                "\(path).file", "The provider takes documents as PDF, CSV, Word, Excel, HTML, plain text or Markdown.")
        }
        hasDocument = true
        Self.write("document", format, name: documentName(filename), &out) { json in
            json.key("bytes")
            if let data { json.string(data.base64) } else { json.string(given) }
        }
    }

    private static let documentNameBytesMax = 200

    /// A name that Bedrock takes: without its ending, other characters than letters, digits, spaces and a few marks made hyphens.
    private mutating func documentName(_ filename: String) -> String {
        let stem = filename.lastIndex(of: ".").map { filename[..<$0] } ?? filename[...]
        var name = ""
        for byte in stem.utf8.prefix(Self.documentNameBytesMax - 8) {
            let isAllowed =
                byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
                || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]") || byte == ASCII.space && !name.hasSuffix(" ")
            name.unicodeScalars.append(isAllowed ? Unicode.Scalar(byte) : "-")
        }
        if name.isEmpty { name = "document" }
        // Two documents of one name are refused.
        var unique = name
        var count = 2
        while !documentNames.insert(unique).inserted {
            unique = "\(name)-\(count)"
            count += 1
        }
        return unique
    }
}
