internal import SluiceCore
internal import SluiceHTTP

/// A multipart form and the bytes it was read from.
struct FormFields {
    let form: MultipartForm
    let body: ByteBuffer

    init(_ body: ByteBuffer, contentType: Span<UInt8>) throws(APIError) {
        self.body = body
        do throws(FormError) {
            form = try MultipartForm(body.span, contentType: contentType)
        } catch {
            throw APIError(error.status, "\(error.message)", code: "invalid_form")
        }
    }

    func has(_ name: StaticString) -> Bool { form.part(named: name) != nil }

    func text(_ name: StaticString) -> String? {
        form.part(named: name).map { String(decoding: body.span.extracting($0.body)) }
    }

    func required(_ name: StaticString) throws(APIError) -> String {
        guard let text = text(name) else { throw .missing("\(name)") }
        return text
    }

    /// A part with a file in it.
    func file(_ name: StaticString) throws(APIError) -> (filename: String, bytes: [UInt8]) {
        guard let part = form.part(named: name) else { throw .missing("\(name)") }
        let filename = part.filename.map { String(decoding: $0.span) } ?? "upload"
        return (filename, Array(copying: body.span.extracting(part.body)))
    }

    /// The same without a copy: how long it is.
    func fileSize(_ name: StaticString) throws(APIError) -> (filename: String, byteCount: Int) {
        guard let part = form.part(named: name) else { throw .missing("\(name)") }
        return (part.filename.map { String(decoding: $0.span) } ?? "upload", part.body.count)
    }
}
