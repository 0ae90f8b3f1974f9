package import SluiceJSON

/// Watches a stream go by that the application gets as the provider sends it: what it cost, whether it ended properly, and what
/// the application did not ask for.
package protocol StreamInspector {
    /// What is missing in a stream that ended too early, for people.
    static var ending: StaticString { get }

    var usage: Usage? { get }
    /// The model that answers, as the provider says.
    var model: String? { get }
    var eventCount: Int { get }
    var malformedCount: Int { get }
    var hasError: Bool { get }
    /// Events that say nothing: signs of life.
    var blankCount: Int { get }
    /// Whether the answer has begun: something came that a reader would notice. Until then nothing goes out, and an error can still
    /// become a status, or another provider be asked.
    var hasBegun: Bool { get }
    /// Takes down what the application gets, as long as somebody wants to know.
    var record: ReplyRecord? { get set }
    /// Whether the dialect's last event came.
    var isDone: Bool { get }
    /// Whether the stream may end here: what has been passed on is a whole answer, or an honest error.
    var isComplete: Bool { get }

    /// Looks at one event's data.
    mutating func inspect(_ data: Span<UInt8>, with tape: JSONTape) -> StreamVerdict
    /// Where the `usage` member stands in an event that is to go on without it.
    func usageRange(in data: Span<UInt8>) -> Range<Int>?
    /// The error that an event reports, where the dialect tells how it would have been reported as a reply.
    func fault(in event: JSONValue) -> ProviderFault?
}

extension StreamInspector {
    package func usageRange(in data: Span<UInt8>) -> Range<Int>? { nil }
    package func fault(in event: JSONValue) -> ProviderFault? { nil }
}

/// What is to become of an event that passes by.
package enum StreamVerdict: Equatable, Sendable {
    /// Pass the event on as it is.
    case forward
    /// The application did not ask for it.
    case drop
    /// Pass it on without its `usage` member.
    case withoutUsage
    /// The provider's data is not JSON: left out and counted.
    case malformed
    /// The provider reports that it failed.
    case error
}
