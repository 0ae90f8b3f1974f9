import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Stream inspection` {
    /// All that an inspector says of a stream, and the events as the application gets them.
    private struct Outcome: Equatable {
        var verdicts: [OpenAIStreamInspector.Verdict] = []
        var relayed: [String] = []
        var usage: Usage?
        var eventCount = 0
        var malformedCount = 0
        var hasError = false
        var isDone = false
        var isComplete = false
    }

    /// - Parameter cuts: where the reads end.
    private static func inspect(
        _ bytes: [UInt8], cuts: [Int] = [], _ operation: OpenAIOperation = .chatCompletions, showsUsage: Bool,
        remembers: Bool
    ) throws -> Outcome {
        var parser = EventParser()
        var inspector = OpenAIStreamInspector(operation, showsUsage: showsUsage, remembersChunks: remembers)
        let tape = JSONTape()
        var outcome = Outcome()
        var start = 0
        for end in cuts + [bytes.count] {
            let piece = bytes.span.extracting(start..<end)
            var offset = 0
            while let event = try parser.next(in: piece, at: &offset) {
                if event.kind != .message { continue }
                let data = parser.data(of: event, in: piece)
                let verdict = inspector.inspect(data, with: tape)
                outcome.verdicts.append(verdict)
                switch verdict {
                case .forward, .error: outcome.relayed.append(String(decoding: data))
                case .withoutUsage: outcome.relayed.append(withoutUsage(data, inspector, tape))
                case .drop, .malformed: break
                }
            }
            start = end
        }
        outcome.usage = inspector.usage
        outcome.eventCount = inspector.eventCount
        outcome.malformedCount = inspector.malformedCount
        (outcome.hasError, outcome.isDone, outcome.isComplete) = (
            inspector.hasError, inspector.isDone, inspector.isComplete
        )
        return outcome
    }

    /// The chunk as the relay sends it on.
    private static func withoutUsage(_ data: Span<UInt8>, _ inspector: OpenAIStreamInspector, _ tape: JSONTape)
        -> String
    {
        if let range = inspector.usageRange(in: data) {
            return String(decoding: data.extracting(0..<range.lowerBound))
                + String(decoding: data.extracting(range.upperBound...))
        }
        let root = tape.root(over: data)
        var edits = JSONEdits()
        edits.remove("usage", from: root)
        let buffer = ByteBuffer(capacity: data.count)
        edits.splices(over: root).append(to: buffer, from: data)
        return String(decoding: buffer.span)
    }

    private static func cuts(_ count: Int, using random: inout SplitMix64) -> [Int] {
        (0..<Int.random(in: 0...20, using: &random)).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
    }

    @Test func `what is remembered of a stream changes nothing that is said of it, however it arrives`() throws {
        var verdicts: [OpenAIStreamInspector.Verdict] = []
        for seed in SplitMix64.seeds(400) {
            var random = SplitMix64(seed)
            let bytes = RandomStream(using: &random).bytes(using: &random)
            let showsUsage = Bool.random(using: &random)
            let scanned = try Self.inspect(bytes, showsUsage: showsUsage, remembers: false)
            for _ in 0..<2 {
                let remembered = try Self.inspect(
                    bytes, cuts: Self.cuts(bytes.count, using: &random), showsUsage: showsUsage, remembers: true)
                #expect(remembered == scanned, "seed \(seed)")
            }
            verdicts += scanned.verdicts
        }
        for verdict in [OpenAIStreamInspector.Verdict.forward, .drop, .withoutUsage, .malformed, .error] {
            #expect(verdicts.contains(verdict), "the streams have no \(verdict)")
        }
    }

    @Test func `usage that was not asked for is taken out, and what carried nothing else is dropped`() throws {
        let stream = [
            #"{"choices":[{"delta":{"content":"a"}}],"usage":null}"#,
            #"{"choices":[{"delta":{"content":"b"}}],"usage":null}"#,
            #"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}"#,
            #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#, "[DONE]",
        ]
        let bytes = stream.flatMap { Array("data: \($0)\n\n".utf8) }
        let outcome = try Self.inspect(bytes, showsUsage: false, remembers: true)
        #expect(outcome.verdicts == [.withoutUsage, .withoutUsage, .withoutUsage, .drop, .forward])
        #expect(
            outcome.relayed == [
                #"{"choices":[{"delta":{"content":"a"}}]}"#, #"{"choices":[{"delta":{"content":"b"}}]}"#,
                #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, "[DONE]",
            ])
        #expect(outcome.usage == Usage(inputTokens: 3, outputTokens: 4, totalTokens: 7))
        #expect(outcome.isDone && outcome.isComplete)
        let shown = try Self.inspect(bytes, showsUsage: true, remembers: true)
        #expect(shown.relayed == stream)
        #expect(shown.usage == outcome.usage)
    }

    @Test(arguments: [
        (OpenAIOperation.chatCompletions, #"{"choices":[{"delta":{"content":"a"}}]}"#, false),
        (.chatCompletions, #"{"choices":[{"delta":{},"finish_reason":"length"}]}"#, true),
        (.chatCompletions, "[DONE]", true),
        (.chatCompletions, #"{"error":{"message":"x"}}"#, true), (.completions, #"{"choices":[{"text":"a"}]}"#, false),
        (.responses, #"{"type":"response.output_text.delta","delta":"a"}"#, false),
        (.responses, #"{"type":"response.output_text.done"}"#, false),
        (.responses, #"{"type":"response.completed"}"#, true),
        (.responses, #"{"type":"response.incomplete"}"#, true), (.responses, #"{"type":"response.failed"}"#, true),
        (.images, #"{"type":"image_generation.partial_image"}"#, false),
        (.images, #"{"type":"image_generation.completed"}"#, true),
        (.audioTranscription, #"{"type":"transcript.text.done"}"#, true), (.passage, #"{"anything":1}"#, true),
    ])
    func `a stream may end after what its dialect ends with`(operation: OpenAIOperation, data: String, isComplete: Bool)
        throws
    {
        let bytes = Array("data: \(data)\n\n".utf8)
        #expect(try Self.inspect(bytes, operation, showsUsage: true, remembers: true).isComplete == isComplete)
    }

    @Test func `usage of the responses dialect is read from its last event`() throws {
        let data =
            #"{"type":"response.completed","response":{"usage":{"input_tokens":5,"output_tokens":6,"total_tokens":11}}}"#
        let outcome = try Self.inspect(Array("data: \(data)\n\n".utf8), .responses, showsUsage: false, remembers: true)
        #expect(outcome.usage == Usage(inputTokens: 5, outputTokens: 6, totalTokens: 11))
        #expect(outcome.verdicts == [.forward])
    }
}
