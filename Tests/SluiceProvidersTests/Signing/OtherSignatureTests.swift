import SluiceCore
import SluiceHTTP
import SluiceProviders
import SluiceTLS
import Testing

@Suite struct `Tencent signatures` {
    private let body =
        #"{"Model":"hunyuan-turbos-latest","Messages":[{"Role":"user","Content":"ping"}],"Stream":false}"#
    private let signer = TencentSignature(
        credentials: .init(
            secretID: "AKIDEXAMPLE0000000000000000000000000", secretKey: Secret("EXAMPLEKEY0000000000000000000000")),
        service: "hunyuan")

    private func sign(
        _ signer: TencentSignature, action: String?, keys: inout DerivedKeyCache
    ) -> HeaderFields {
        var fields = HeaderFields()
        fields.append(.contentType, "application/json" as StaticString)
        if let action { fields.append(lowercaseName: "x-tc-action", action) }
        signer.sign(
            .post, target: "/".utf8Span.span, host: "hunyuan.tencentcloudapi.com".utf8Span.span, fields: &fields,
            bodyDigest: SHA256.hash(body.utf8Span.span), at: 1_767_225_600, keys: &keys)
        return fields
    }

    @Test(
        arguments: [
            (nil, "content-type;host", "8ddc5740184791fe9397c063854cf0c4bfd4957f94b66792b8a36dd0d93a2225"),
            (
                "ChatCompletions", "content-type;host;x-tc-action",
                "e5e257d57a3c2cab95ac13c232d69102e3ac634a69a5cb4372cc34c9ccad809e"
            ),
        ] as [(String?, String, String)])
    func `the worked examples give their headers`(action: String?, names: String, signature: String) {
        var keys = DerivedKeyCache()
        for _ in 0..<2 {
            let fields = sign(signer, action: action, keys: &keys)
            #expect(
                fields.text(.authorization) == """
                    TC3-HMAC-SHA256 Credential=AKIDEXAMPLE0000000000000000000000000/2026-01-01/hunyuan/tc3_request, \
                    SignedHeaders=\(names), Signature=\(signature)
                    """)
            let time = fields.index(named: "x-tc-timestamp").map { String(decoding: fields.value(at: $0)) }
            #expect(time == "1767225600" && fields.index(named: "x-tc-token") == nil)
        }
        #expect(keys.count == 1)
    }

    @Test func `a temporary token is sent, and not signed`() {
        let temporary = TencentSignature(
            credentials: .init(
                secretID: "AKIDEXAMPLE0000000000000000000000000",
                secretKey: Secret("EXAMPLEKEY0000000000000000000000"), token: Secret("temporary")),
            service: "hunyuan")
        var keys = DerivedKeyCache()
        let fields = sign(temporary, action: nil, keys: &keys)
        #expect(fields.index(named: "x-tc-token").map { String(decoding: fields.value(at: $0)) } == "temporary")
        #expect(
            fields.text(.authorization)?.hasSuffix("8ddc5740184791fe9397c063854cf0c4bfd4957f94b66792b8a36dd0d93a2225")
                == true)
        #expect(!"\(temporary)".contains("EXAMPLEKEY") && !"\(temporary)".contains("temporary"))
    }
}

@Suite struct `Baidu signatures` {
    private let signer = BaiduSignature(
        accessKeyID: "testak00000000000000000000000000", secretKey: Secret("testsk00000000000000000000000000"))
    // 2026-01-01 00:00 UTC
    private let seconds = 1_767_225_600

    private func sign(
        _ method: SluiceHTTP.Method, _ target: String, host: String, contentType: String? = nil,
        covering: BaiduSignature.Coverage
    ) -> HeaderFields {
        var fields = HeaderFields()
        if let contentType { fields.append(.contentType, contentType) }
        signer.sign(
            method, target: target.utf8Span.span, host: host.utf8Span.span, fields: &fields, at: seconds,
            lifetimeSeconds: 300, covering: covering)
        return fields
    }

    @Test(arguments: [
        (
            BaiduSignature.Coverage.hostDateAndContentType, "content-type;host;x-bce-date",
            "f2f0d41ed4fabfb89516eb77b69a1f657f275a38f4f176990002819b1ba88a8b"
        ),
        (.host, "host", "a2974add05d679937cdcb37e0d5491110fd236e5348f93e0e070a3f99c4a604b"),
    ])
    func `the worked examples give their headers`(covering: BaiduSignature.Coverage, names: String, signature: String) {
        let fields = sign(
            .post, "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/completions_pro", host: "aip.baidubce.com",
            contentType: "application/json", covering: covering)
        #expect(
            fields.text(.authorization)
                == "bce-auth-v1/testak00000000000000000000000000/2026-01-01T00:00:00Z/300/\(names)/\(signature)")
        let date = fields.index(named: "x-bce-date").map { String(decoding: fields.value(at: $0)) }
        #expect(date == (covering == .host ? nil : "2026-01-01T00:00:00Z"))
    }

    @Test func `a query is signed, whatever its order, and without an authorization in it`() {
        func signature(_ target: String) -> String {
            sign(.get, target, host: "iam.bj.baidubce.com", covering: .host).text(.authorization).map {
                String($0.suffix(64))
            } ?? ""
        }
        let expected = "46a6e857ac8f0e35dc8864c2b36194ae524823e4fc9c7c41fb1006e43105ba8b"
        #expect(signature("/v1/BCE-BEARER/token?expireInSeconds=43200") == expected)
        #expect(signature("/v1/BCE-BEARER/token?&expireInSeconds=%343200&Authorization=x") == expected)
        #expect(signature("/v1?b=2&a=1&a-b=3&a") == signature("/v1?a=&a=1&a-b=3&b=2"))
        #expect(signature("/v1?b=2") != signature("/v1?b=3"))
    }
}

@Suite struct `iFlytek signatures` {
    private func target(_ key: String, _ secret: String, _ path: String, at seconds: Int) -> String {
        IflytekSignature(apiKey: Secret(key), apiSecret: Secret(secret)).target(
            .get, path: path.utf8Span.span, host: "spark-api.xf-yun.com".utf8Span.span, at: seconds
        ).exposedText
    }

    @Test func `the published sample gives its URL`() {
        #expect(
            target(
                "addd2272b6d8b7c8abdd79531420ca3b", "MjlmNzkzNmZkMDQ2OTc0ZDdmNGE2ZTZi", "/v1.1/chat", at: 1_683_283_419)
                    == """
                    /v1.1/chat?authorization=YXBpX2tleT0iYWRkZDIyNzJiNmQ4YjdjOGFiZGQ3OTUzMTQyMGNhM2IiLCBhbGdvcml0aG09ImhtYWMtc2hh\
                    MjU2IiwgaGVhZGVycz0iaG9zdCBkYXRlIHJlcXVlc3QtbGluZSIsIHNpZ25hdHVyZT0iejVnSGR1M3B4VlY0QURNeWs0Njd3T1dEUTlxNkJR\
                    elIzbmZNVGpjL0RhUT0i&date=Fri%2C%2005%20May%202023%2010%3A43%3A39%20GMT&host=spark-api.xf-yun.com
                    """)
    }

    @Test(arguments: [
        (
            "/v3.5/chat", 1_767_225_600, "Thu%2C%2001%20Jan%202026%2000%3A00%3A00%20GMT",
            "9eQo2aYWitOy8bpinavtk2AVmJEjxojDIOHDY4ZOMGE="
        ),
        (
            "/v4.0/chat", 1_767_601_815, "Mon%2C%2005%20Jan%202026%2008%3A30%3A15%20GMT",
            "YyM5vhURZ6/W8bZOs3hek0FNr923oBGmVXmbwRf+TOw="
        ),
    ])
    func `the worked examples give their URLs`(path: String, seconds: Int, date: String, signature: String) throws {
        let target = target("testkey0123456789abcdef012345678", "testsecret0123456789", path, at: seconds)
        let start = path + "?authorization="
        let end = "&date=\(date)&host=spark-api.xf-yun.com"
        #expect(target.hasPrefix(start) && target.hasSuffix(end))
        let encoded = target.dropFirst(start.count).dropLast(end.count).replacing("%3D", with: "=")
        let decoded = Base64.decode(Array(encoded.utf8).span)
        let authorization = try #require(decoded)
        #expect(
            String(decoding: authorization, as: UTF8.self) == """
                api_key="testkey0123456789abcdef012345678", algorithm="hmac-sha256", \
                headers="host date request-line", signature="\(signature)"
                """)
    }
}

@Suite struct `Token requests` {
    @Test func `Baidu's goes in the query`() {
        let request = TokenRequest.baidu(apiKey: Secret("a+k"), secretKey: Secret("s/k"))
        #expect(request.origin == "https://aip.baidubce.com" && request.method == .post)
        #expect(
            request.target.exposedText
                == "/oauth/2.0/token?grant_type=client_credentials&client_id=a%2Bk&client_secret=s%2Fk")
        #expect(request.body.isEmpty && request.contentType == nil && !"\(request)".contains("client"))
    }

    @Test func `token endpoints are where the settings say`() {
        let baidu = TokenRequest.baidu(apiKey: Secret("a"), secretKey: Secret("s"), path: "/gateway/token")
        #expect(
            baidu.target.exposedText == "/gateway/token?grant_type=client_credentials&client_id=a&client_secret=s")
        let azure = TokenRequest.azure(
            tenant: "t", clientID: "c", clientSecret: Secret("s"), scope: "x", path: "/cloud/t/token")
        #expect(azure.target.exposedText == "/cloud/t/token")
    }

    @Test func `Azure's is a form`() {
        let request = TokenRequest.azure(
            tenant: "t/1", clientID: "c", clientSecret: Secret("s~&="),
            scope: "https://cognitiveservices.azure.com/.default")
        #expect(request.origin == "https://login.microsoftonline.com")
        #expect(request.target.exposedText == "/t%2F1/oauth2/v2.0/token")
        #expect(
            request.body.exposedText == """
                grant_type=client_credentials&client_id=c&client_secret=s~%26%3D&\
                scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default
                """)
        #expect(request.contentType == "application/x-www-form-urlencoded" && !"\(request)".contains("s~"))
    }
}
