internal import SluiceCore
internal import SluiceHTTP
internal import SluiceProviders
internal import SluiceTLS

func measureWire(_ measure: Measure) {
    measureSigning(measure)
    measureEventStream(measure)
}

private func measureSigning(_ measure: Measure) {
    let signer = AWSSignature(
        credentials: .init(
            accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")),
        region: "us-east-1", service: "bedrock")
    let target = ByteBuffer("/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse")
    let host = ByteBuffer("bedrock-runtime.us-east-1.amazonaws.com")
    let body = ByteBuffer(String(repeating: "x", count: 300))
    func sign(_ keys: inout DerivedKeyCache) {
        var fields = HeaderFields()
        fields.append(.contentType, "application/json" as StaticString)
        signer.sign(
            .post, target: target.span, host: host.span, fields: &fields, bodyDigest: SHA256.hash(body.span),
            at: 1_795_176_000, keys: &keys)
        keep(fields.count)
    }
    var keys = DerivedKeyCache()
    measure("sign/AWS, 300 B body") { sign(&keys) }
    measure("sign/AWS, first of the day") {
        var keys = DerivedKeyCache()
        sign(&keys)
    }
}

private func measureEventStream(_ measure: Measure) {
    let text = """
        AAAAowAAAFenqv54CzpldmVudC10eXBlBwARY29udGVudEJsb2NrRGVsdGENOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pzb24NOm1l\
        c3NhZ2UtdHlwZQcABWV2ZW50eyJjb250ZW50QmxvY2tJbmRleCI6MCwiZGVsdGEiOnsidGV4dCI6IkhpIn0sInAiOiJhYmNkZWZnaCJ9C8o3\
        vg==
        """
    let frame = Base64.decode(text.utf8Span.span) ?? []
    let frames = ByteBuffer()
    for _ in 0..<16 { frames.append(frame.span) }
    var parser = EventStreamParser()
    measure("eventstream/16 deltas of 163 B", bytes: frames.count) { read(&parser, frames.span) }
    measure("eventstream/16 deltas, each cut", bytes: frames.count) {
        var start = 0
        for _ in 0..<16 {
            read(&parser, frames.span.extracting(start..<start + 80))
            read(&parser, frames.span.extracting(start + 80..<start + 163))
            start += 163
        }
    }
    let bytes = ByteBuffer(String(repeating: "0123456789abcdef", count: 256))
    measure("eventstream/CRC-32 of 4 KB", bytes: bytes.count) { keep(CRC32.checksum(bytes.span)) }
}

private func read(_ parser: inout EventStreamParser, _ bytes: Span<UInt8>) {
    var offset = 0
    while let frame = try? parser.next(in: bytes, at: &offset) {
        keep(parser.eventType(of: frame, in: bytes).count)
        keep(parser.payload(of: frame, in: bytes).count)
    }
}
