import SluiceCore
import SluiceHTTP
import SluiceProviders
import SluiceTLS
import Testing

@Suite struct `AWS signatures` {
    private static let body =
        #"{"messages":[{"role":"user","content":[{"text":"Hello"}]}],"inferenceConfig":{"maxTokens":64}}"#
    // 2026-11-20 12:00 UTC
    private static let seconds = 1_795_176_000

    private func signer(token: String? = nil, service: String = "bedrock") -> AWSSignature {
        AWSSignature(
            credentials: .init(
                accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                sessionToken: token.map { Secret($0) }),
            region: "us-east-1", service: service)
    }

    private func sign(
        _ signer: AWSSignature, _ target: String, method: Method = .post,
        host: String = "bedrock-runtime.us-east-1.amazonaws.com", fields: HeaderFields? = nil,
        body: String = AWSSignatureTests.body, at seconds: Int = AWSSignatureTests.seconds,
        keys: inout DerivedKeyCache
    ) -> HeaderFields {
        var signed = HeaderFields()
        if let fields { signed = fields } else { signed.append(.contentType, "application/json" as StaticString) }
        signer.sign(
            method, target: target.utf8Span.span, host: host.utf8Span.span, fields: &signed,
            bodyDigest: SHA256.hash(body.utf8Span.span), at: seconds, keys: &keys)
        return signed
    }

    private typealias AWSSignatureTests = `AWS signatures`

    private func signature(_ fields: HeaderFields) -> String {
        String(fields.text(.authorization)?.split(separator: "=").last ?? "")
    }

    @Test func `the worked example gives its header`() {
        var keys = DerivedKeyCache()
        let fields = sign(
            signer(), "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse", keys: &keys)
        #expect(
            fields.text(.authorization) == """
                AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261120/us-east-1/bedrock/aws4_request, \
                SignedHeaders=content-type;host;x-amz-date, \
                Signature=c559f2aa42e7d30d01f8fb92e432eaccd7c4bd5b14bdc1680b716a180acd9829
                """)
        #expect(fields.index(named: "x-amz-date").map { String(decoding: fields.value(at: $0)) } == "20261120T120000Z")
    }

    @Test func `a colon that was not encoded is signed as it is sent`() {
        var keys = DerivedKeyCache()
        let fields = sign(signer(), "/model/anthropic.claude-3-5-sonnet-20240620-v1:0/converse", keys: &keys)
        #expect(signature(fields) == "3e190f344eb83a8077041ea046411bbb19438d666c3da12741e5285b06f56e83")
    }

    @Test func `a session token is sent and signed, in place of one that came along`() {
        var keys = DerivedKeyCache()
        var before = HeaderFields()
        before.append(.contentType, "application/json" as StaticString)
        before.append(.authorization, "Bearer theirs" as StaticString)
        before.append(lowercaseName: "x-amz-security-token", "theirs")
        before.append(lowercaseName: "x-amz-date", "20200101T000000Z")
        before.append(lowercaseName: "traceparent", "00-1")
        let fields = sign(
            signer(token: "AQoDYXdzEXAMPLETOKEN"), "/model/amazon.nova-lite-v1%3A0/converse-stream", fields: before,
            keys: &keys)
        #expect(signature(fields) == "d2632ad9834a1a586bee128e5ecda58f6ebe304544aea3a5022309c85a19ced1")
        #expect(fields.text(.authorization)?.contains("=content-type;host;x-amz-date;x-amz-security-token,") == true)
        #expect(fields.count == 5 && fields.occurrences(of: .authorization) == 1)
    }

    @Test func `AWS's own suite agrees`() {
        var keys = DerivedKeyCache()
        let fields = sign(
            signer(service: "service"), "/", method: .get, host: "example.amazonaws.com", fields: HeaderFields(),
            body: "", at: 1_440_938_160, keys: &keys)
        #expect(signature(fields) == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
        // get-vanilla-query-order-key-case and get-vanilla-query-unreserved
        let ordered = sign(
            signer(service: "service"), "/?Param2=value2&Param1=value1", method: .get, host: "example.amazonaws.com",
            fields: HeaderFields(), body: "", at: 1_440_938_160, keys: &keys)
        #expect(signature(ordered) == "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")
    }

    @Test func `the key of the day is derived once, and the same signature comes of it`() {
        var keys = DerivedKeyCache()
        let first = sign(signer(), "/a", keys: &keys)
        #expect(keys.count == 1)
        let second = sign(signer(), "/a", keys: &keys)
        #expect(signature(second) == signature(first) && keys.count == 1)
        let tomorrow = sign(signer(), "/a", at: Self.seconds + 86_400, keys: &keys)
        var fresh = DerivedKeyCache()
        let derived = sign(signer(), "/a", at: Self.seconds + 86_400, keys: &fresh)
        #expect(signature(tomorrow) == signature(derived))
        #expect(signature(tomorrow) != signature(first) && keys.count == 1)
        for number in 0..<20 { _ = sign(signer(service: "service\(number)"), "/a", keys: &keys) }
        #expect(keys.count == 8)
        let last = sign(signer(), "/a", keys: &keys)
        #expect(signature(last) == signature(first))
    }

    @Test func `values are trimmed and their spaces collapsed, and repeated names are one line`() {
        func signed(_ lines: [(StaticString, String)]) -> String {
            var fields = HeaderFields()
            for (name, value) in lines { fields.append(lowercaseName: name, value) }
            var keys = DerivedKeyCache()
            return signature(sign(signer(), "/", fields: fields, keys: &keys))
        }
        let once = signed([("x-amz-a", "1 2,3"), ("x-amz-b", "4")])
        #expect(signed([("x-amz-b", " 4\t"), ("x-amz-a", "1   2"), ("x-amz-a", " 3 ")]) == once)
        #expect(signed([("x-amz-a", "1 2,3"), ("x-amz-b", "5")]) != once)
        #expect(signed([("x-amz-a", "1 2,3"), ("x-amz-b", "4"), ("x-other", "5")]) == once)
    }

    @Test(arguments: [
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "anthropic.claude-3-5-sonnet-20240620-v1%3A0"),
        (
            "arn:aws:bedrock:us-east-1:123:inference-profile/a~b_c",
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A123%3Ainference-profile%2Fa~b_c"
        ),
        ("模", "%E6%A8%A1"), ("a%2F", "a%252F"),
    ])
    func `a model's id is one segment of the path`(id: String, segment: String) {
        let buffer = ByteBuffer()
        PathSegment.append(id.utf8Span.span, to: buffer)
        #expect(buffer.text == segment)
    }

    @Test func `nothing that signs shows a secret`() {
        let signer = signer(token: "SESSION")
        var keys = DerivedKeyCache()
        _ = sign(signer, "/", keys: &keys)
        var shown = "\(signer) \(keys)"
        dump(signer, to: &shown)
        dump(keys, to: &shown)
        #expect(!shown.contains("wJalr") && !shown.contains("SESSION"))
    }
}
