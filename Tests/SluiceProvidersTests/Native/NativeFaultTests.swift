import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import Testing

@Suite struct `Errors in the native dialects` {
    struct Row: CustomTestStringConvertible {
        let dialect: NativeDialect
        let body: String
        let status: UInt16
        let code: String
        var isRetryable = false
        var key = ProviderFault.KeyVerdict.fine
        var testDescription: String { body }
    }

    private static func ernie(
        _ codes: [Int], _ status: UInt16, _ code: String, isRetryable: Bool = false,
        _ key: ProviderFault.KeyVerdict = .fine
    ) -> [Row] {
        codes.map {
            Row(
                dialect: .ernie, body: #"{"error_code":\#($0),"error_msg":"m"}"#, status: status, code: code,
                isRetryable: isRetryable,
                key: key)
        }
    }

    private static func spark(
        _ codes: [Int], _ status: UInt16, _ code: String, isRetryable: Bool = false,
        _ key: ProviderFault.KeyVerdict = .fine,
        _ message: String = "m"
    ) -> [Row] {
        codes.map {
            Row(
                dialect: .spark, body: #"{"header":{"code":\#($0),"message":"\#(message)","sid":"s","status":2}}"#,
                status: status,
                code: code, isRetryable: isRetryable, key: key)
        }
    }

    private static func named(
        _ dialect: NativeDialect, _ codes: [String], _ status: UInt16, _ code: String, isRetryable: Bool = false,
        _ key: ProviderFault.KeyVerdict = .fine
    ) -> [Row] {
        codes.map {
            let body =
                dialect == .hunyuan
                ? #"{"Response":{"Error":{"Code":"\#($0)","Message":"m"},"RequestId":"r"}}"#
                : #"{"code":"\#($0)","message":"m","request_id":"r"}"#
            return Row(dialect: dialect, body: body, status: status, code: code, isRetryable: isRetryable, key: key)
        }
    }

    static let ernieRows =
        ernie([1, 13, 336000, 500000, 424242], 502, "upstream_error", isRetryable: true)
        + ernie([2, 336100], 503, "overloaded", isRetryable: true)
        + ernie([3, 336005], 404, "model_not_found")
        + ernie([4, 18, 336501, 336502], 429, "rate_limit_exceeded", isRetryable: true)
        + ernie([6], 403, "access_denied", .refused) + ernie([336004], 403, "access_denied")
        + ernie([14, 100, 110, 111], 401, "invalid_api_key", .refused)
        + ernie([15], 401, "invalid_api_key", isRetryable: true, .refused)
        + ernie([17, 19], 429, "insufficient_quota", .exhausted)
        + ernie([336001, 336002, 336003, 336006, 336007, 336102], 400, "invalid_request")
        + ernie([336101], 405, "invalid_request")
        + ernie([336103], 400, "context_length_exceeded") + ernie([336104, 336105], 400, "content_filter")
    static let sparkRows =
        spark(
            [10000, 10001, 10002, 10009, 10010, 10011, 10012, 10017, 10222, 99999], 502, "upstream_error",
            isRetryable: true)
        + spark([10003, 10004, 10005, 10163], 400, "invalid_request")
        + spark([10006, 10007, 11202, 11203], 429, "rate_limit_exceeded", isRetryable: true)
        + spark([10008, 10110], 503, "overloaded", isRetryable: true)
        + spark([10013, 10014, 10019, 10021], 400, "content_filter")
        + spark([10015, 10016, 11200], 403, "access_denied", .refused) + spark([10404], 404, "model_not_found")
        + spark([10907], 400, "context_length_exceeded") + spark([11201], 429, "insufficient_quota", .exhausted)
        + spark([11200], 429, "insufficient_quota", .exhausted, "AppIdNoAuthError:(tokens.total)")
    static let hunyuanRows =
        named(
            .hunyuan,
            [
                "AuthFailure.SignatureFailure", "AuthFailure.SecretIdNotFound", "AuthFailure.SignatureExpire",
                "AuthFailure.New",
            ], 401, "invalid_api_key", .refused)
        + named(
            .hunyuan,
            [
                "UnauthorizedOperation", "UnauthorizedOperation.X", "FailedOperation.UserUnAuthError",
                "FailedOperation.ServiceNotActivated",
            ], 403, "access_denied", .refused)
        + named(
            .hunyuan,
            [
                "RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded", "LimitExceeded",
                "FailedOperation.EngineServerLimitExceeded",
            ], 429, "rate_limit_exceeded", isRetryable: true)
        + named(.hunyuan, ["FailedOperation.EngineRequestTimeout"], 504, "timeout", isRetryable: true)
        + named(
            .hunyuan,
            [
                "FailedOperation.EngineServerError", "FailedOperation.ConsoleServerError", "InternalError",
                "InternalError.X",
            ], 502, "upstream_error", isRetryable: true)
        + named(
            .hunyuan,
            [
                "FailedOperation.ResourcePackExhausted", "FailedOperation.ServiceStopArrears",
                "ResourceUnavailable.InArrears", "ResourceInsufficient.ChargeResourceExhaust",
            ], 429, "insufficient_quota", .exhausted)
        + named(.hunyuan, ["InvalidParameterValue.Model", "ResourceNotFound"], 404, "model_not_found")
        + named(
            .hunyuan, ["FailedOperation.ImageDecodeFailed", "InvalidParameterValue.ImageRequestError"], 400,
            "invalid_image")
        + named(
            .hunyuan, ["InvalidParameter", "InvalidParameterValue.X", "MissingParameter", "UnknownParameter"], 400,
            "invalid_request")
        + named(.hunyuan, ["OperationDenied.TextIllegalDetected"], 400, "content_filter")
        + named(.hunyuan, ["UnsupportedOperation", "NoSuchVersion"], 501, "not_supported")
    static let dashScopeRows =
        named(
            .dashScope, ["InvalidParameter", "InternalError.Algo.InvalidParameter", "UnsupportedFileFormat"], 400,
            "invalid_request")
        + named(.dashScope, ["DataInspectionFailed", "data_inspection_failed"], 400, "content_filter")
        + named(
            .dashScope,
            ["Arrearage", "AccessDenied.Unpurchased", "AllocationQuota.FreeTierOnly", "PostpaidBillOverdue"], 429,
            "insufficient_quota", .exhausted)
        + named(.dashScope, ["InvalidApiKey", "invalid_api_key"], 401, "invalid_api_key", .refused)
        + named(.dashScope, ["AccessDenied", "Model.AccessDenied"], 403, "access_denied")
        + named(.dashScope, ["ModelNotFound"], 404, "model_not_found")
        + named(.dashScope, ["RequestTimeOut"], 504, "timeout", isRetryable: true)
        + named(.dashScope, ["BadRequest.TooLarge"], 413, "request_too_large")
        + named(
            .dashScope, ["Throttling", "Throttling.RateQuota", "Throttling.AllocationQuota", "limit_burst_rate"], 429,
            "rate_limit_exceeded", isRetryable: true)
        + named(.dashScope, ["Throttling.ServiceOverloaded", "ModelUnavailable"], 503, "overloaded", isRetryable: true)
        + named(
            .dashScope, ["InternalError", "InternalError.Timeout", "SystemError", "Unheard.Of"], 502, "upstream_error",
            isRetryable: true)

    @Test(arguments: ernieRows + sparkRows + hunyuanRows + dashScopeRows)
    func `mean what the sheet says`(row: Row) throws {
        let assembly = ReplyAssembly()
        let document = row.dialect == .spark ? row.body : "data: \(row.body)\n\n"
        #expect(try row.dialect.play([row.dialect.wire(document)], into: assembly), "an error is the end")
        let fault = try #require(assembly.fault)
        #expect(
            fault.status.code == row.status && fault.code == row.code && fault.isRetryable == row.isRetryable
                && fault.key == row.key, "\(fault)")
    }

    @Test func `a code that DashScope's table does not have means what HTTP says`() throws {
        let body = #"{"code":"Brand.New","message":"m"}"#
        #expect(try NativeDialect.dashScope.fault(403, body).code == "access_denied")
        #expect(try NativeDialect.dashScope.fault(429, body).isRetryable)
        #expect(try NativeDialect.dashScope.fault(401, body).key == .refused)
    }

    @Test func `a quota that is spent and tokens a minute are told apart`() throws {
        let spent = #"{"code":"Throttling.AllocationQuota","message":"Free allocated quota exceeded."}"#
        #expect(try NativeDialect.dashScope.fault(429, spent).key == .exhausted)
    }

    @Test func `an answer that was found sensitive on its way ends there`() throws {
        let first =
            #"{"header":{"code":0,"sid":"s","status":0},"payload":{"choices":{"status":0,"text":[{"content":"a"}]}}}"#
        let second = #"{"header":{"code":10014,"message":"m","sid":"s","status":2}}"#
        let assembly = ReplyAssembly()
        #expect(try NativeDialect.spark.play([NativeDialect.spark.wire(first + "\n" + second)], into: assembly))
        #expect(assembly.finishReason == .contentFilter && assembly.fault == nil && assembly.text?.text == "a")
    }

    @Test(arguments: [
        (#""need_clear_history":true,"ban_round":-1"#, FinishReason.contentFilter), (#""is_truncated":true"#, .length),
        (#""finish_reason":"length""#, .length), (#""finish_reason":"content_filter""#, .contentFilter),
        (#""finish_reason":"stop""#, .stop),
        (#""flag":0"#, .stop),
    ])
    func `ERNIE says in many ways why it ended`(members: String, reason: FinishReason) throws {
        let assembly = try Transcoder.whole(#"{"id":"as-1","result":"a",\#(members)}"#, from: ErnieDialect())
        #expect(assembly.finishReason == reason)
    }

    @Test func `a clock that is wrong is thought of`() throws {
        #expect(try NativeDialect.spark.fault(403, #"{"message":"no"}"#).message.contains("clock"))
        #expect(try NativeDialect.spark.fault(503, "busy").status.code == 503)
    }
}

@Suite struct `Streams that say everything again` {
    private func told(_ texts: [String]) throws -> (text: String, fault: ProviderFault?) {
        let events = texts.enumerated().map { index, text in
            let reason = index == texts.count - 1 ? "stop" : "null"
            return
                #"data:{"output":{"choices":[{"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"\#(reason)"}]},"request_id":"r"}"#
                + "\n\n"
        }
        let assembly = ReplyAssembly()
        try NativeDialect.dashScope.play([Array(events.joined().utf8)], into: assembly)
        return (assembly.text?.text ?? "", assembly.fault)
    }

    @Test(arguments: [
        (["One", "One, two", "One, two.", "One, two."], "One, two."), (["你", "你好", "你好。"], "你好。"),
        (["One", ", two", "."], "One, two."), (["ha", "ha", "ha"], "hahaha"), (["哈", "哈哈", "!"], "哈哈哈!"),
        (["1", "10", "0"], "1100"), ([#"\n"#, #"\n\n"#, "a"], #"\n\n\na"#), (["", "a", "", "b", ""], "ab"),
        (["a \\\"", "a \\\"b\\\""], "a \\\"b\\\""),
    ])
    func `are told from those that bring pieces`(texts: [String], expected: String) throws {
        let (text, fault) = try told(texts)
        #expect(text == expected && fault == nil)
    }

    @Test func `that take something back are an error, not a muddle`() throws {
        let (text, fault) = try told(["One", "One, two", "Ones"])
        #expect(text == "One, two" && fault?.status == 502)
    }
}

@Suite struct `Embeddings in the native dialects` {
    private func sent(_ dialect: any EmbeddingDialect, _ request: String) throws -> (body: String, report: FieldReport)
    {
        let bytes = ByteBuffer(request)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let body = ByteBuffer()
        var report = FieldReport()
        try dialect.encode(tape.root(over: bytes.span), model: "m", applicationID: "testapp1", into: body, &report)
        return (body.text, report)
    }

    private func told(_ dialect: any EmbeddingDialect, _ reply: String, asBase64: Bool = false) throws -> String? {
        let bytes = ByteBuffer(reply)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let body = ByteBuffer()
        return dialect.decode(tape.root(over: bytes.span), model: "Embedding-V1", asBase64: asBase64, estimate: Usage(), into: body) == nil
            ? nil : body.text
    }

    private let request = #"{"model":"m","input":["alpha","beta"],"dimensions":1024,"user":"u","unheard_of":1}"#

    @Test func `ERNIE's`() throws {
        let (body, report) = try sent(ErnieEmbeddings(), request)
        #expect(
            isSame(body, #"{"input":["alpha","beta"],"user_id":"u"}"#) && report.lost == ["dimensions", "unheard_of"])
        #expect(ErnieEmbeddings().target(model: "bge-large-zh") == "/embeddings/bge_large_zh")
        #expect(ErnieEmbeddings().target(model: "Embedding-V1") == "/embeddings/embedding-v1")
        let text = try #require(
            try told(ErnieEmbeddings(), try NativeDialect.ernie.golden("G8.reply.json"), asBase64: false))
        #expect(
            text.contains(#""object":"list""#) && text.contains(#""prompt_tokens":4"#) && text.contains(#""index":1"#),
            "\(text)")
        let many = (0..<17).map { "\"\($0)\"" }.joined(separator: ",")
        #expect(throws: EncodingRefusal.self) { try sent(ErnieEmbeddings(), #"{"input":[\#(many)]}"#) }
        #expect(throws: EncodingRefusal.self) { try sent(ErnieEmbeddings(), #"{"input":[[1,2]]}"#) }
    }

    @Test func `DashScope's, in the order of the texts`() throws {
        let (body, _) = try sent(DashScopeEmbeddings(), request)
        let expected =
            #"{"model":"m","input":{"texts":["alpha","beta"]},"parameters":{"text_type":"document","dimension":1024}}"#
        #expect(isSame(body, expected), "\(body)")
        let reply =
            #"{"output":{"embeddings":[{"text_index":1,"embedding":[0.0,1.0]},{"text_index":0,"embedding":[1.0,0.0]}]},"usage":{"total_tokens":4},"request_id":"r"}"#
        let expectedReply =
            #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,0.0]},{"object":"embedding","index":1,"embedding":[0.0,1.0]}],"model":"Embedding-V1","usage":{"prompt_tokens":4,"total_tokens":4}}"#
        #expect(isSame(try told(DashScopeEmbeddings(), reply) ?? "", expectedReply))
        #expect(try told(DashScopeEmbeddings(), #"{"code":"x"}"#) == nil)
    }

    @Test func `Hunyuan's`() throws {
        #expect(isSame(try sent(HunyuanEmbeddings(), request).body, #"{"InputList":["alpha","beta"]}"#))
        #expect(throws: EncodingRefusal.self) { try sent(HunyuanEmbeddings(), #"{"input":"a","dimensions":512}"#) }
        let reply =
            #"{"Response":{"Data":[{"Embedding":[1.0,0.0],"Index":0,"Object":"embedding"}],"Usage":{"PromptTokens":2,"TotalTokens":2}}}"#
        let expected =
            #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,0.0]}],"model":"Embedding-V1","usage":{"prompt_tokens":2,"total_tokens":2}}"#
        #expect(isSame(try told(HunyuanEmbeddings(), reply) ?? "", expected))
    }

    @Test func `Spark's, which travel as floats in Base64`() throws {
        let (body, _) = try sent(SparkEmbeddings(), #"{"input":["alpha"]}"#)
        let messages = Base64.encode(#"{"messages":[{"content":"alpha","role":"user"}]}"#.utf8Span.span)
        let expected =
            #"{"header":{"app_id":"testapp1","status":3},"parameter":{"emb":{"domain":"para","feature":{"encoding":"utf8"}}},"payload":{"messages":{"text":"\#(messages)"}}}"#
        #expect(isSame(body, expected), "\(body)")
        #expect(throws: EncodingRefusal.self) { try sent(SparkEmbeddings(), request) }
        // 1.0 and 0.0
        let reply = #"{"header":{"code":0},"payload":{"feature":{"text":"AACAPwAAAAA="}}}"#
        let expectedReply =
            #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,0.0]}],"model":"Embedding-V1","usage":{"prompt_tokens":0,"total_tokens":0}}"#
        #expect(isSame(try told(SparkEmbeddings(), reply) ?? "", expectedReply))
        #expect(try told(SparkEmbeddings(), #"{"payload":{"feature":{"text":"AAA="}}}"#) == nil)
    }
}
