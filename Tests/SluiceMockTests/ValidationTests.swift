internal import SluiceHTTP
import Testing

@testable import SluiceMock

@Suite struct `Requests that are refused` {
    private static let user = #"{"role":"user","content":"x"}"#
    private static let call =
        #"{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}"#

    @Test(
        arguments: [
            ("{}", "missing_required_parameter", "model"), (#"{"model":7}"#, "invalid_type", "model"),
            (#"{"model":"m"}"#, "missing_required_parameter", "messages"),
            (#"{"model":"m","messages":"x"}"#, "invalid_type", "messages"),
            (#"{"model":"m","messages":[]}"#, "empty_array", "messages"),
            (#"{"model":"m","messages":[{"content":"x"}]}"#, "missing_required_parameter", "messages[0].role"),
            (#"{"model":"m","messages":[{"role":"king","content":"x"}]}"#, "invalid_value", "messages[0].role"),
            (#"{"model":"m","messages":[{"role":"user"}]}"#, "missing_required_parameter", "messages[0].content"),
            (#"{"model":"m","messages":[{"role":"user","content":3}]}"#, "invalid_type", "messages[0].content"),
            (#"{"model":"m","temperature":2.5,"messages":[USER]}"#, "invalid_value", "temperature"),
            (#"{"model":"m","n":0,"messages":[USER]}"#, "invalid_value", "n"),
            (#"{"model":"m","n":"2","messages":[USER]}"#, "invalid_type", "n"),
            (#"{"model":"m","stream":1,"messages":[USER]}"#, "invalid_type", "stream"),
            (#"{"model":"m","stream_options":{"include_usage":true},"messages":[USER]}"#, nil, "stream_options"),
            (#"{"model":"m","top_logprobs":2,"messages":[USER]}"#, "invalid_value", "top_logprobs"),
            (#"{"model":"m","parallel_tool_calls":true,"messages":[USER]}"#, nil, "parallel_tool_calls"),
            (#"{"model":"m","response_format":{"type":"json_object"},"messages":[USER]}"#, nil, "messages"),
            (
                #"{"model":"m","response_format":{"type":"json_schema"},"messages":[USER]}"#,
                "missing_required_parameter", "response_format.json_schema"
            ),
            (#"{"model":"m","stop":["1","2","3","4","5"],"messages":[USER]}"#, "invalid_value", "stop"),
            (
                #"{"model":"m","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"g"}},"messages":[USER]}"#,
                "invalid_value", "tool_choice"
            ),
            (
                #"{"model":"m","messages":[USER,{"role":"tool","tool_call_id":"c1","content":"x"}]}"#, nil,
                "messages.[1].role"
            ),
            (#"{"model":"m","messages":[USER,CALL,USER]}"#, nil, "messages.[2].role"),
            (#"{"model":"m","messages":[USER,CALL]}"#, nil, "messages.[2].role"),
            (#"{"model":"missing","messages":[USER]}"#, "model_not_found", nil),
        ] as [(String, String?, String?)])
    func `the error names the parameter`(body: String, code: String?, param: String?) {
        let body = body.replacing("USER", with: Self.user).replacing("CALL", with: Self.call)
        do {
            _ = try Making.reply(.chatCompletions, body)
            Issue.record("accepted: \(body)")
        } catch let error as APIError {
            #expect(error.code == code && error.param == param, "\(error)")
            #expect(error.status == (code == "model_not_found" ? 404 : 400))
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func `unknown members pass, unless strictness was asked for`() throws {
        let body = #"{"model":"m","messages":[{"role":"user","content":"x"}],"brand_new":1}"#
        _ = try Making.reply(.chatCompletions, body)
        #expect(throws: APIError.unknownParameter("brand_new")) { try Making.reply(.chatCompletions, body, "strict") }
    }

    @Test func `errors are the golden ones, byte for byte`() throws {
        #expect(try Making.text(APIError.noKey) == Golden.line("G6-error.json"))
        #expect(try Making.text(APIError.noSuchModel("gpt-9")) == Golden.line("G6-error-2.json"))
        #expect(try Making.text(APIError.contextLength) == Golden.line("G6-error-3.json"))
        #expect(try Making.text(APIError.quota) == Golden.line("G6-error-5.json"))
        #expect(try Making.text(APIError.status(503, model: "m", wait: 0)) == Golden.line("G6-error-6.json"))
        let limited = try JSONThing(Making.text(APIError.rateLimit("m", wait: 600)))
        #expect(try limited.covers(Golden.json("G6-error-4.json")))
        #expect(limited["error"]?["code"]?.string == "rate_limit_exceeded")
        #expect(limited["error"]?["message"]?.string?.hasSuffix("Please try again in 600ms.") == true)
    }
}
