internal import SluiceCore
package import SluiceJSON

/// A sink that changes some of what it is told and passes the rest on.
package class ReplyFilter: ReplySink {
    /// Set before each use.
    package fileprivate(set) weak var next: (any ReplySink)?

    package init() {}

    package func origin(created: Int?, fingerprint: ReplyText?) {
        next?.origin(created: created, fingerprint: fingerprint)
    }
    package func begin(id: ReplyText?, model: ReplyText?) { next?.begin(id: id, model: model) }
    package func text(_ text: ReplyText) { next?.text(text) }
    package func reasoning(_ text: ReplyText) { next?.reasoning(text) }
    package func reasoningBlock(_ block: ReasoningBlock) { next?.reasoningBlock(block) }
    package func refusal(_ text: ReplyText) { next?.refusal(text) }
    package func toolCall(_ index: Int, _ call: ToolCallStart) { next?.toolCall(index, call) }
    package func toolArguments(_ index: Int, _ fragment: ReplyText) { next?.toolArguments(index, fragment) }
    package func finish(_ reason: FinishReason) { next?.finish(reason) }
    package func usage(_ usage: Usage) { next?.usage(usage) }
    package func fault(_ fault: ProviderFault) { next?.fault(fault) }
    /// The reply has ended: what was held back goes on.
    package func end() {}
}

/// A decoder whose calls go through filters, the first of them first.
package final class FilteredReplyDecoder: ReplyDecoder {
    private let decoder: any ReplyDecoder
    /// At least one.
    private let filters: [ReplyFilter]

    package init(_ decoder: any ReplyDecoder, through filters: [ReplyFilter]) {
        self.decoder = decoder
        self.filters = filters
    }

    /// Where the decoder's calls go, so that they end in a sink.
    private func first(before sink: any ReplySink) -> any ReplySink {
        for index in filters.indices { filters[index].next = index + 1 < filters.count ? filters[index + 1] : sink }
        return filters[0]
    }

    package func decode(whole document: JSONValue, into sink: any ReplySink) {
        decoder.decode(whole: document, into: first(before: sink))
        for filter in filters { filter.end() }
    }

    package func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        decoder.decode(event: document, named: name, into: first(before: sink))
    }

    package func done(into sink: any ReplySink) { decoder.done(into: first(before: sink)) }

    package func end(into sink: any ReplySink) -> Bool {
        let isComplete = decoder.end(into: first(before: sink))
        for filter in filters { filter.end() }
        return isComplete
    }
}

/// Makes the answer out of the arguments of a tool that was forced for the sake of its schema.
package final class AnswerToolFilter: ReplyFilter {
    private let name: String
    private var answerIndex: Int?

    /// - Parameter name: the tool's.
    package init(_ name: String) { self.name = name }

    package override func toolCall(_ index: Int, _ call: ToolCallStart) {
        if answerIndex == nil, call.name.string == name {
            answerIndex = index
            return
        }
        // Several calls of the one tool are several answers: the first counts.
        if call.name.string == name { return }
        super.toolCall(index, call)
    }

    package override func toolArguments(_ index: Int, _ fragment: ReplyText) {
        guard index == answerIndex else { return }
        // Arguments are a JSON text within a string; the answer is that text.
        next?.text(fragment)
    }

    /// What the model says beside the call is not part of the answer.
    package override func text(_ text: ReplyText) { if answerIndex == nil { next?.text(text) } }

    package override func finish(_ reason: FinishReason) { next?.finish(reason == .toolCalls ? .stop : reason) }
}
