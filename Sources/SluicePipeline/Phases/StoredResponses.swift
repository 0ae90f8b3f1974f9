internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceProviders

/// Responses that a provider keeps: without a provider that has them there are none to fetch, to cancel or to delete.
enum StoredResponses {
    static func check(_ context: RequestContext, _ provider: Provider) throws(Rejection) {
        guard context.dialect == .openAI, context.operation == .passage, !provider.hasResponses else { return }
        guard let target = try? RequestTarget(context.exchange.head.target) else { return }
        if target.segment(1, is: "responses") || target.segment(1, is: "conversations") {
            throw Rejection(
                .caller, 404, code: "unsupported_operation",
                "Provider \(provider.name) keeps no responses, and neither does Sluice: only POST /v1/responses is answered, without a memory."
            )
        }
    }
}
