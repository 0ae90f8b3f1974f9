internal import SluiceCore
package import SluiceJSON

/// Watches a stream in Anthropic's dialect go by (section 7 of the sheet): it is complete with `message_stop`, and with an error.
package struct AnthropicStreamInspector: StreamInspector {
    package static let ending: StaticString = "message_stop"

    package private(set) var malformedCount = 0
    package private(set) var model: String?
    package private(set) var eventCount = 0
    package private(set) var hasError = false
    package private(set) var blankCount = 0
    package private(set) var hasBegun = false
    package var record: ReplyRecord?
    /// Whether `message_stop` came.
    package private(set) var isDone = false
    private var tokens = AnthropicUsage()
    /// Events that only add text, as the last ones that were scanned: those that look the same are not scanned again.
    private var last = Pattern()
    private var other = Pattern()
    private var misses = 0
    /// A stream whose events are all different is not worth remembering.
    private static let missesMax = 16

    private struct Pattern {
        var template = JSONTemplate()
        /// What is in its hole; `nil` for a call's arguments.
        var kind: ReplyRecord.Kind?
    }

    package init() {}

    package var usage: Usage? { tokens.usage }
    package var isComplete: Bool { isDone || hasError }

    package mutating func inspect(_ data: Span<UInt8>, with tape: JSONTape) -> StreamVerdict {
        if isKnown(data) {
            eventCount += 1
            if let record, let kind = last.kind, let text = last.template.text(0, of: data) {
                record.append(kind, escaped: data.extracting(text))
            }
            return .forward
        }
        do throws(JSONError) {
            try tape.scan(data)
        } catch {
            malformedCount += 1
            return .malformed
        }
        eventCount += 1
        let root = tape.root(over: data)
        if let record { MessagesContent.note(root, in: record) }
        return inspect(root)
    }

    package func fault(in event: JSONValue) -> ProviderFault? { AnthropicFault.inBand(event) }

    private mutating func isKnown(_ data: Span<UInt8>) -> Bool {
        var isKnown = last.template.matches(data)
        if !isKnown, other.template.matches(data) {
            swap(&last, &other)
            isKnown = true
        }
        if isKnown { misses = 0 }
        return isKnown
    }

    private mutating func inspect(_ event: JSONValue) -> StreamVerdict {
        guard let type = event["type"]?.unescapedBytes else {
            guard let error = event["error"], !error.isNull else { return .forward }
            hasError = true
            return .error
        }
        if type.equals("content_block_delta") {
            hasBegun = true
            learn(event)
        } else if type.equals("message_start") {
            blankCount += 1
            tokens.merge(event["message"]?["usage"])
            if model == nil { model = event["message"]?["model"]?.string }
        } else if type.equals("message_delta") {
            hasBegun = true
            tokens.merge(event["usage"])
        } else if type.equals("message_stop") {
            isDone = true
        } else if type.equals("error") {
            hasError = true
            return .error
        } else if MessagesContent.isNoticed(event, type) {
            hasBegun = true
        } else {
            blankCount += 1
        }
        return .forward
    }

    private mutating func learn(_ event: JSONValue) {
        misses += 1
        if misses > Self.missesMax || event.range.lowerBound != 0 { return }
        guard let delta = event["delta"] else { return }
        for name in ["text", "partial_json", "thinking"] as [StaticString] {
            guard let text = delta[name], text.isString else { continue }
            other = last
            last = Pattern(
                template: JSONTemplate(event.rawBytes, strings: [text.range]),
                kind: "\(name)" == "text" ? .text : "\(name)" == "thinking" ? .reasoning : nil)
            return
        }
    }
}
