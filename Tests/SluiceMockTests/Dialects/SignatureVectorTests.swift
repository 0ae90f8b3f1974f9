import Foundation
import Testing

@testable import SluiceMock

/// The fact sheets' worked vectors, against the mock's own canonical forms.
@Suite struct `Signature vectors` {
    private static func bedrock(_ path: String, token: String? = nil) -> (canonical: String, signature: String) {
        let body = #"{"messages":[{"role":"user","content":[{"text":"Hello"}]}],"inferenceConfig":{"maxTokens":64}}"#
        let hash = SignedText.sha256(body)
        var headers =
            "content-type:application/json\nhost:bedrock-runtime.us-east-1.amazonaws.com\nx-amz-date:20261120T120000Z\n"
        var names = "content-type;host;x-amz-date"
        if let token {
            headers += "x-amz-security-token:\(token)\n"
            names += ";x-amz-security-token"
        }
        let canonical = SigV4.canonical(
            method: "POST", path: path, query: "", headers: headers, names: names, payloadHash: hash)
        return (
            SignedText.sha256(canonical),
            SigV4.signature(
                secret: MockCredentials.aws.secret, date: "20261120T120000Z", region: "us-east-1", service: "bedrock",
                canonical: canonical)
        )
    }

    @Test func `SigV4 encodes the path on the wire once more`() {
        let encoded = Self.bedrock("/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse")
        #expect(encoded.canonical == "cc6926ad6f509a3b2a7b7eaa67de00a032fa08b86144428cf1b41906132554e0")
        #expect(encoded.signature == "c559f2aa42e7d30d01f8fb92e432eaccd7c4bd5b14bdc1680b716a180acd9829")
        let literal = Self.bedrock("/model/anthropic.claude-3-5-sonnet-20240620-v1:0/converse")
        #expect(literal.canonical == "aedea255fe0514c9067d92d5c2ac3fc255cc33fc20085d71a57780821c1d1d86")
        #expect(literal.signature == "3e190f344eb83a8077041ea046411bbb19438d666c3da12741e5285b06f56e83")
        let session = Self.bedrock("/model/amazon.nova-lite-v1%3A0/converse-stream", token: "AQoDYXdzEXAMPLETOKEN")
        #expect(session.canonical == "be407ba5121d630733179271421527b2d4d1c811eb52b90d99057f3705edb040")
        #expect(session.signature == "d2632ad9834a1a586bee128e5ecda58f6ebe304544aea3a5022309c85a19ced1")
    }

    @Test func `SigV4 agrees with the get-vanilla case of the AWS suite`() {
        let canonical = SigV4.canonical(
            method: "GET", path: "/", query: "", headers: "host:example.amazonaws.com\nx-amz-date:20150830T123600Z\n",
            names: "host;x-amz-date", payloadHash: SignedText.sha256(""))
        #expect(SignedText.sha256(canonical) == "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63")
        #expect(
            SigV4.signature(
                secret: MockCredentials.aws.secret, date: "20150830T123600Z", region: "us-east-1", service: "service",
                canonical: canonical) == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
    }

    @Test func `TC3 agrees with both vectors`() {
        let body = #"{"Model":"hunyuan-turbos-latest","Messages":[{"Role":"user","Content":"ping"}],"Stream":false}"#
        let headers = "content-type:application/json\nhost:hunyuan.tencentcloudapi.com\n"
        let hash = SignedText.sha256(body)
        #expect(hash == "b7963a2d5ae10b9665ab54cb196f7b56e2a615a976a07d34a8dc193da92fb294")
        #expect(
            TC3.signature(
                MockCredentials.tencent.secret, timestamp: 1_767_225_600,
                canonical: "POST\n/\n\n\(headers)\ncontent-type;host\n\(hash)")
                == "8ddc5740184791fe9397c063854cf0c4bfd4957f94b66792b8a36dd0d93a2225")
        #expect(
            TC3.signature(
                MockCredentials.tencent.secret, timestamp: 1_767_225_600,
                canonical: "POST\n/\n\n\(headers)x-tc-action:chatcompletions\n\ncontent-type;host;x-tc-action\n\(hash)")
                == "e5e257d57a3c2cab95ac13c232d69102e3ac634a69a5cb4372cc34c9ccad809e")
    }

    @Test func `Days of TC3 and times of other signatures agree with the calendar`() throws {
        #expect(TC3.day(1_767_225_600) == "2026-01-01")
        #expect(TC3.day(1_709_164_800) == "2024-02-29")
        #expect(TC3.day(951_782_399) == "2000-02-28")
        #expect(CompactTime.seconds("20260101T000000Z") == 1_767_225_600)
        #expect(CompactTime.seconds("2024-02-29T00:00:01Z") == 1_709_164_801)
        #expect(HTTPDateText.seconds("Thu, 01 Jan 2026 00:00:00 GMT") == 1_767_225_600)
        #expect(HTTPDateText.seconds("Thu, 01 Foo 2026 00:00:00 GMT") == nil)
    }

    @Test func `The signed URL of Spark agrees with all three vectors`() {
        let host = "spark-api.xf-yun.com"
        #expect(
            SparkSignature.signature(
                secret: "MjlmNzkzNmZkMDQ2OTc0ZDdmNGE2ZTZi", host: host, date: "Fri, 05 May 2023 10:43:39 GMT",
                path: "/v1.1/chat")
                == "z5gHdu3pxVV4ADMyk467wOWDQ9q6BQzR3nfMTjc/DaQ=")
        #expect(
            SparkSignature.signature(
                secret: MockCredentials.spark.secret, host: host, date: "Thu, 01 Jan 2026 00:00:00 GMT",
                path: "/v3.5/chat")
                == "9eQo2aYWitOy8bpinavtk2AVmJEjxojDIOHDY4ZOMGE=")
        #expect(
            SparkSignature.signature(
                secret: MockCredentials.spark.secret, host: host, date: "Mon, 05 Jan 2026 08:30:15 GMT",
                path: "/v4.0/chat")
                == "YyM5vhURZ6/W8bZOs3hek0FNr923oBGmVXmbwRf+TOw=")
    }

    @Test func `bce-auth-v1 agrees with its vectors`() {
        func signature(_ headers: [String], method: String, path: String, query: String) -> String {
            BaiduSignature.signature(
                prefix: "bce-auth-v1/\(MockCredentials.baidu.id)/2026-01-01T00:00:00Z/300",
                secret: MockCredentials.baidu.secret,
                method: method, path: path, query: query, headers: headers)
        }
        let path = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/completions_pro"
        let all = ["content-type:application%2Fjson", "host:aip.baidubce.com", "x-bce-date:2026-01-01T00%3A00%3A00Z"]
        #expect(
            signature(all, method: "POST", path: path, query: "")
                == "f2f0d41ed4fabfb89516eb77b69a1f657f275a38f4f176990002819b1ba88a8b")
        #expect(
            signature(["host:aip.baidubce.com"], method: "POST", path: path, query: "")
                == "a2974add05d679937cdcb37e0d5491110fd236e5348f93e0e070a3f99c4a604b")
        #expect(
            signature(
                ["host:iam.bj.baidubce.com"], method: "GET", path: "/v1/BCE-BEARER/token",
                query: "expireInSeconds=43200")
                == "46a6e857ac8f0e35dc8864c2b36194ae524823e4fc9c7c41fb1006e43105ba8b")
    }

    private static let claims =
        "eyJhcGlfa2V5IjoidGVzdGlkMDEyMzQ1Njc4OSIsImV4cCI6MTc2NzIyNTgxMDAwMCwidGltZXN0YW1wIjoxNzY3MjI1NjAwMDAwfQ"

    @Test func `Zhipu's tokens are taken while they last and with a true signature`() throws {
        let plain =
            "eyJhbGciOiJIUzI1NiIsInNpZ25fdHlwZSI6IlNJR04ifQ.\(Self.claims).RgsnQOEXGtQV6_xFPGWJuJmI7R3gR18eKsivaxElzEY"
        let typed =
            "eyJhbGciOiJIUzI1NiIsInNpZ25fdHlwZSI6IlNJR04iLCJ0eXAiOiJKV1QifQ.\(Self.claims).Qr51VnMVFOdgLt0GnF1nyWewR7o0_JdqbSuxrNqmB2A"
        try ZhipuToken.check(plain, nowMilliseconds: 1_767_225_700_000)
        try ZhipuToken.check(typed, nowMilliseconds: 1_767_225_700_000)
        #expect(throws: DialectFailure.self) { try ZhipuToken.check(plain, nowMilliseconds: 1_767_225_810_000) }
        #expect(throws: DialectFailure.self) { try ZhipuToken.check(plain, nowMilliseconds: 1_767_225_000_000) }
        let other = plain.replacingOccurrences(of: "RgsnQ", with: "RgsnR")
        #expect(throws: DialectFailure.self) { try ZhipuToken.check(other, nowMilliseconds: 1_767_225_700_000) }
    }

    @Test func `Frames of the event stream are those of the sheet, byte for byte`() throws {
        #expect(SignedText.hex(EventStreamFrame.bytes([], [])) == "000000100000000005c248eb7d98c8ff")
        #expect(
            SignedText.hex(EventStreamFrame.bytes([], Array("{'foo':'bar'}".utf8)))
                == "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936")
        let start = EventStreamFrame.event("messageStart", ["p": "abcd", "role": "assistant"])
        #expect(start.count == 129)
        #expect(SignedText.hex(start).hasSuffix("7df512a005"))
        let exception = EventStreamFrame.exception(
            "throttlingException", "Too many requests, please wait before trying again.")
        let stream =
            EventStreamFrame.event("messageStart", ["p": "abcd", "role": "assistant"])
            + EventStreamFrame.event(
                "contentBlockDelta", ["contentBlockIndex": 0, "delta": ["text": "Hi"], "p": "abcdefgh"])
            + EventStreamFrame.event("contentBlockStop", ["contentBlockIndex": 0, "p": "ab"])
            + EventStreamFrame.event("messageStop", ["p": "abc", "stopReason": "end_turn"])
            + EventStreamFrame.event(
                "metadata",
                [
                    "metrics": ["latencyMs": 321], "p": "abcde",
                    "usage": ["inputTokens": 8, "outputTokens": 2, "totalTokens": 10],
                ])
        #expect(try SignedText.base64(stream) == Golden.line("Dialects/bedrock-B2.base64"))
        #expect(exception.count == 178)
        #expect(SignedText.hex(exception).hasSuffix("7de8ffb26a"))
    }

    @Test func `WebSocket handshakes and masks are those of RFC 6455`() throws {
        #expect(WebSocketFrame.accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        let whole: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        for count in 0..<whole.count {
            var part = Array(whole[..<count])
            #expect(try WebSocketFrame.next(&part) == nil)
            #expect(part.count == count)
        }
        var bytes = whole + [0x88, 0x82, 1, 2, 3, 4, 2, 0xEA]
        let text = try WebSocketFrame.next(&bytes)
        #expect(text?.payload == Array("Hello".utf8))
        let close = try WebSocketFrame.next(&bytes)
        #expect(close?.opcode == .close)
        #expect(close?.payload == [0x03, 0xE8])
        var bare: [UInt8] = [0x81, 0x01, 0x41]
        #expect(throws: WebSocketFrame.Violation.self) { try WebSocketFrame.next(&bare) }
        #expect(WebSocketFrame.bytes(.text, [UInt8](repeating: 65, count: 300)).prefix(4) == [0x81, 126, 1, 44])
    }

    @Test func `An RSA signature is told from one that is not`() throws {
        // By OpenSSL, with the key of the mock's service account, over "abc".
        let signature = RSAVerifier.bytes(hex: RSAVector.signature)
        #expect(RSAVerifier.isValid(signature, of: Array("abc".utf8), modulusHex: GoogleToken.modulus))
        #expect(!RSAVerifier.isValid(signature, of: Array("abd".utf8), modulusHex: GoogleToken.modulus))
        #expect(!RSAVerifier.isValid(signature.reversed(), of: Array("abc".utf8), modulusHex: GoogleToken.modulus))
    }
}

private enum RSAVector {
    static let signature =
        "1e83c5102dfc67f562c9decc4252a381b99ded6b226e82e3db3d0c52c03d0859dcecd7ce66084b83bc17b54aec0bc864"
        + "cf03dcecf0b6077d5f681e6e2c51aea40577594123e8f0bdb41cf882dd08973327da2b78a851a77ca7fbc10d3071b836"
        + "947b83182d55197d44618171cfeb007cc77f7dc64a611950d059a81948f1a6886c3459bf34da80ee65fe0f0dc4c4c6c3"
        + "28affbcc2f0bbf6cff935d8429f4de6cefd015ebc5be3a0baaec4de179c3b34e424988a839bb4b6f534b76fbb367c164"
        + "c1b14a1630dc37007d11eeb6154f2527fa4079c0e9eedb2333f8c4c1f5c2347181763b46f935d02184e6c24dc88432e7"
        + "14b275bfd0592c00658bca623dbfdbba"
}

extension WebSocketFrame.Received: Equatable {
    static func == (a: Self, b: Self) -> Bool {
        a.payload == b.payload && a.opcode == b.opcode && a.isFinal == b.isFinal
    }
}
