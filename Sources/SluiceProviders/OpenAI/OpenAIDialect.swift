package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// OpenAI's chat completions, as OpenAI and many others serve them.
package struct OpenAIDialect: ChatDialect {
    private let reply: ReplyReading

    /// - Parameter reply: how replies differ from OpenAI's own.
    package init(_ reply: ReplyReading = .standard) { self.reply = reply }

    package func chatTarget(_ request: borrowing ChatRequest) -> String { "/chat/completions" }

    package func encode(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, into body: ByteBuffer,
        _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        let root = request.root
        var edits = JSONEdits()
        let model = request.model
        if root["model"]?.equals(model.utf8Span.span) != true { edits.set("model", in: root) { $0.string(model) } }
        if request.isStream, capabilities.streamUsage { Self.askForUsage(root, &edits) }
        edits.splices(over: root).append(to: body, from: root.documentBytes)
    }

    /// Usage is always asked for: what the application did not ask for is taken out again.
    package static func askForUsage(_ root: JSONValue, _ edits: inout JSONEdits) {
        if let options = root["stream_options"], options.isObject {
            if options["include_usage"]?.bool != true { edits.set("include_usage", in: options) { $0.bool(true) } }
        } else {
            edits.set("stream_options", in: root) { json in
                json.object { json in
                    json.key("include_usage")
                    json.bool(true)
                }
            }
        }
    }

    package func makeDecoder() -> any ReplyDecoder { OpenAIReplyDecoder(reply) }

    package func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        reply.errors.fault(head, document, text: text)
    }
}
