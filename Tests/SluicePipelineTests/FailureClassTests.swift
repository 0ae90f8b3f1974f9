import SluiceConfig
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluicePolicy
import SluiceProviders
import Testing

@testable import SluicePipeline
@testable import SluiceUpstream

@Suite struct `The class of a failure` {
    struct Row: CustomTestStringConvertible {
        let dialect: ProviderDialect
        let status: UInt16
        let body: String
        let kind: FailureClass
        init(_ dialect: ProviderDialect, _ status: UInt16, _ body: String, _ kind: FailureClass) {
            self.dialect = dialect
            self.status = status
            self.body = body
            self.kind = kind
        }
        var testDescription: String { "\(dialect.rawValue) \(status) \(body)" }
    }

    private static func openAI(
        _ status: UInt16, _ code: String, type: String = "invalid_request_error", _ kind: FailureClass
    ) -> Row {
        Row(.openai, status, #"{"error":{"message":"m","type":"\#(type)","param":null,"code":"\#(code)"}}"#, kind)
    }

    private static func anthropic(_ status: UInt16, _ type: String, saying message: String = "m", _ kind: FailureClass)
        -> Row
    {
        Row(.anthropic, status, #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"}}"#, kind)
    }

    private static func google(_ status: UInt16, _ word: String, saying message: String = "m", _ kind: FailureClass)
        -> Row
    {
        Row(.gemini, status, #"{"error":{"code":\#(status),"message":"\#(message)","status":"\#(word)"}}"#, kind)
    }

    private static let openAIRows = [
        openAI(400, "context_length_exceeded", .contextLength), openAI(400, "content_filter", .contentPolicy),
        openAI(400, "content_policy_violation", .contentPolicy), openAI(400, "invalid_value", .caller),
        openAI(401, "invalid_api_key", .keyRefused), openAI(403, "unsupported_country", .forbidden),
        openAI(404, "model_not_found", .modelMissing), openAI(404, "not_found", .caller),
        openAI(409, "conflict", .transient), openAI(422, "invalid", .caller),
        openAI(429, "rate_limit_exceeded", type: "requests", .rateLimited),
        openAI(429, "insufficient_quota", type: "insufficient_quota", .quota),
        openAI(500, "server_error", type: "server_error", .serverError),
        openAI(503, "server_is_overloaded", type: "service_unavailable_error", .overloaded),
        Row(.openai, 502, "<html>Bad Gateway</html>", .serverError), Row(.openai, 529, "", .overloaded),
        Row(.openai, 408, "{}", .transient), Row(.openai, 425, "", .transient), Row(.openai, 402, "{}", .quota),
        Row(
            .openai, 400,
            #"{"object":"error","message":"This model's maximum context length is 4096 tokens","code":400}"#,
            .contextLength),
    ]

    private static let otherRows = [
        anthropic(529, "overloaded_error", .overloaded), anthropic(429, "rate_limit_error", .rateLimited),
        anthropic(
            400, "invalid_request_error", saying: "prompt is too long: 210000 tokens > 200000 maximum", .contextLength),
        anthropic(400, "invalid_request_error", saying: "Your credit balance is too low to access the API", .quota),
        anthropic(400, "invalid_request_error", .caller), anthropic(401, "authentication_error", .keyRefused),
        anthropic(403, "permission_error", .forbidden), anthropic(404, "not_found_error", .modelMissing),
        anthropic(500, "api_error", .serverError), anthropic(413, "request_too_large", .caller),
        google(429, "RESOURCE_EXHAUSTED", .rateLimited), google(503, "UNAVAILABLE", .overloaded),
        google(500, "INTERNAL", .serverError), google(400, "INVALID_ARGUMENT", .caller),
        google(404, "NOT_FOUND", .modelMissing), google(403, "PERMISSION_DENIED", .forbidden),
        Row(.bedrock, 429, #"{"__type":"ThrottlingException","message":"m"}"#, .rateLimited),
        Row(.bedrock, 503, #"{"__type":"ServiceUnavailableException","message":"m"}"#, .overloaded),
        Row(
            .bedrock, 400, #"{"__type":"ValidationException","message":"Input is too long for requested model."}"#,
            .contextLength),
        Row(.dashscope, 429, #"{"code":"Throttling.RateQuota","message":"m"}"#, .rateLimited),
        Row(.dashscope, 400, #"{"code":"DataInspectionFailed","message":"m"}"#, .contentPolicy),
        Row(.dashscope, 401, #"{"code":"InvalidApiKey","message":"m"}"#, .keyRefused),
        Row(.ernie, 200, #"{"error_code":18,"error_msg":"m"}"#, .rateLimited),
        Row(.ernie, 200, #"{"error_code":336100,"error_msg":"m"}"#, .overloaded),
        Row(.hunyuan, 200, #"{"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"m"}}}"#, .rateLimited),
    ]

    @Test(arguments: openAIRows + otherRows)
    func `is what the provider's own words say`(row: Row) throws {
        let tape = JSONTape()
        let body = ByteBuffer(row.body)
        let isJSON = (try? tape.scan(body.span)) != nil
        let head = ResponseHead(Status(row.status))
        let fault =
            isJSON
            ? row.dialect.chat.fault(head, tape.root(over: body.span), text: body.span)
            : row.dialect.chat.fault(head, nil, text: body.span)
        #expect(FailureClass(fault) == row.kind, "\(fault)")
    }

    /// What an adapter's table calls worth repeating is never taken for the caller's mistake, and what it does not is not repeated at
    /// the same target.
    @Test func `agrees with the table of every adapter`() {
        var rowCount = 0
        for adapter in AdapterLibrary.builtIn.adapters {
            for row in adapter.errors.rows {
                guard let status = row.status else { continue }
                rowCount += 1
                var fault = ProviderFault(
                    Status(UInt16(clamping: status)), type: row.type, code: row.code, "m", isRetryable: row.isRetryable)
                switch row.key {
                case .refused?: fault.key = .refused
                case .exhausted?: fault.key = .exhausted
                case .fine?, nil: break
                }
                let kind = FailureClass(fault)
                let label = "\(adapter.name) \(row.codes) \(kind)"
                if fault.isRetryable { #expect(kind.mayPassElsewhere, "\(label)") }
                if fault.key == .refused { #expect(kind == .keyRefused, "\(label)") }
                if fault.key == .exhausted { #expect(kind == .quota, "\(label)") }
                if row.code == "context_length_exceeded" { #expect(kind == .contextLength, "\(label)") }
                if row.code == "content_filter" { #expect(kind == .contentPolicy, "\(label)") }
                if (400..<429).contains(status) { #expect(!kind.speaksAgainstTarget, "\(label)") }
            }
        }
        #expect(rowCount > 100)
    }

    @Test func `says whether anything may have been processed`() {
        for reason in [UpstreamError.Reason.name, .connect, .connectTimeout, .proxy, .tls] {
            #expect(FailureClass(UpstreamError(reason, ""), nil) == .connect)
        }
        let expected: [(UpstreamError.Reason, FailureClass)] = [
            (.closedBeforeHead, .closed), (.closedInBody, .truncated), (.headTimeout, .timeout),
            (.idleTimeout, .stalled),
            (.totalTimeout, .deadline), (.malformed, .malformed), (.tooLarge, .tooLarge), (.poolExhausted, .busy),
            (.token, .token), (.tokenRefused, .keyRefused), (.shutdown, .cancelled), (.cancelled, .cancelled),
            (.reported, .serverError),
        ]
        for (reason, kind) in expected { #expect(FailureClass(UpstreamError(reason, ""), nil) == kind) }
    }
}
