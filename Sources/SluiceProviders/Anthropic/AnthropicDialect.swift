package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// Anthropic's Messages (the Anthropic sheet).
package struct AnthropicDialect: ChatDialect {
    /// The older of the two versions that are live (section 1 of the sheet): it takes everything that the newer one takes, and
    /// sampling fields where the model does.
    package static let version: StaticString = "2023-06-01"
    /// The tool whose input is the answer, where a schema cannot be asked for otherwise. A decoder knows it by this name.
    static let answerTool: StaticString = "sluice_json_answer"

    package init() {}

    package func chatTarget(_ request: borrowing ChatRequest) -> String { "/messages" }

    /// What an application says in `anthropic-beta` is meant for its own words, and goes out only with them.
    package func addFields(_ request: borrowing ChatRequest, to fields: inout HeaderFields) {
        if !fields.contains(.anthropicVersion) { fields.append(.anthropicVersion, Self.version) }
    }

    package func encode(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, into body: ByteBuffer,
        _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        let plan = try AnthropicPlan(request, capabilities, &report)
        var writer = AnthropicRequestWriter(plan, capabilities, into: body, report)
        try writer.write(request)
        report = writer.report
    }

    package func makeDecoder() -> any ReplyDecoder { AnthropicReplyDecoder() }

    package func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        AnthropicFault.read(head, document, text: text)
    }
}
