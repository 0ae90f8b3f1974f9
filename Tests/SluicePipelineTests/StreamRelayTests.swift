import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceNet
internal import SluiceProviders
import TestSupport
import Testing

@testable import SluicePipeline
@testable import SluiceUpstream

@Suite struct `Relaying a stream` {
    /// What the application and the provider see of a stream that arrives in reads which end at `cuts`.
    private struct Outcome: Equatable {
        var status: UInt16?
        var body = ""
        /// The data of the events in `body`.
        var events: [String] = []
        var end: FakeDownstream.End?
        var isCancelled = false
        var error: UpstreamError.Reason?
        var malformedEvents = 0
    }

    private static func relay(
        _ bytes: [UInt8], cuts: [Int] = [], showsUsage: Bool = false, on loop: EventLoop
    ) -> Outcome {
        let fake = FakeExchange(loop)
        fake.context.showsUsage = showsUsage
        let inspector = OpenAIStreamInspector(.chatCompletions, showsUsage: fake.context.showsUsage)
        let relay = StreamRelay(
            fake.context, from: fake.upstreamExchange, head: ResponseHead(200), through: inspector, tape: JSONTape())
        var start = 0
        for end in cuts + [bytes.count] {
            relay.received(bytes.span.extracting(start..<end))
            start = end
        }
        var outcome = Outcome()
        do throws(UpstreamError) { try relay.end() } catch { outcome.error = error.reason }
        relay.stop()
        outcome.status = fake.downstream.status
        outcome.body = fake.downstream.text
        outcome.events = events(fake.downstream.body)
        outcome.end = fake.downstream.end
        outcome.isCancelled = fake.upstream.isCancelled
        outcome.malformedEvents = fake.context.malformedEvents
        return outcome
    }

    private static func events(_ bytes: [UInt8]) -> [String] {
        var parser = EventParser()
        var events: [String] = []
        var offset = 0
        while let event = try? parser.next(in: bytes.span, at: &offset) {
            if event.kind == .message { events.append(String(decoding: parser.data(of: event, in: bytes.span))) }
        }
        return events
    }

    @Test func `what the application sees does not depend on how the stream arrived`() throws {
        let loop = try EventLoop()
        for seed in SplitMix64.seeds(250) {
            var random = SplitMix64(seed)
            let bytes = RandomStream(using: &random).bytes(using: &random)
            let showsUsage = Bool.random(using: &random)
            var whole = Self.relay(bytes, showsUsage: showsUsage, on: loop)
            let cuts = (0..<Int.random(in: 1...30, using: &random)).map { _ in
                Int.random(in: 0...bytes.count, using: &random)
            }
            var pieces = Self.relay(bytes, cuts: cuts.sorted(), showsUsage: showsUsage, on: loop)
            // A read that ends between CR and LF leaves an empty line behind where an event was changed: it means nothing.
            (whole.body, pieces.body) = ("", "")
            #expect(pieces == whole, "seed \(seed)")
        }
    }

    @Test func `a stream that asks for nothing to be changed goes through byte for byte`() throws {
        let loop = try EventLoop()
        let stream = Array(
            (": hi\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\nevent: x\nid: 7\ndata: {\"choices\":[]}\n\n"
                + "data: [DONE]\n\n").utf8)
        for cut in 0...stream.count {
            let outcome = Self.relay(stream, cuts: [cut], on: loop)
            #expect(outcome.body == String(decoding: stream, as: UTF8.self), "cut at \(cut)")
            #expect(outcome.status == 200 && outcome.end == .finished && outcome.error == nil, "cut at \(cut)")
        }
    }

    @Test func `an error before everything else is no response yet, an error later goes through`() throws {
        let loop = try EventLoop()
        let error = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"
        let first = Self.relay(Array((": hi\n\n" + error).utf8), on: loop)
        #expect(first == Outcome(isCancelled: true, error: .reported))
        let text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
        let later = Self.relay(Array((text + error).utf8), on: loop)
        #expect(later.status == 200 && later.body == text + error && later.end == .finished)
    }

    @Test(arguments: [
        "", "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", "data: {\"choices\":[]}\n\ndata: {\"cho",
    ])
    func `a stream without an end of its own is cut short`(stream: String) throws {
        let outcome = Self.relay(Array(stream.utf8), on: try EventLoop())
        #expect(outcome.error == .closedInBody)
        #expect(outcome.end == nil)
    }

    @Test func `nonsense between events is left out and counted`() throws {
        let outcome = Self.relay(
            Array(
                "data: {\"choices\":[]}\n\ndata: not JSON\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n"
                    .utf8),
            on: try EventLoop())
        #expect(outcome.body == "data: {\"choices\":[]}\n\ndata: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n")
        #expect(outcome.malformedEvents == 1 && outcome.error == nil)
    }

    @Test func `an application that does not keep up holds the provider back`() throws {
        let loop = try EventLoop()
        let fake = FakeExchange(loop)
        let inspector = OpenAIStreamInspector(.chatCompletions, showsUsage: fake.context.showsUsage)
        let relay = StreamRelay(
            fake.context, from: fake.upstreamExchange, head: ResponseHead(200), through: inspector, tape: JSONTape())
        relay.received("data: {\"choices\":[]}\n\n".utf8Span.span)
        #expect(!fake.upstream.isPaused)
        fake.downstream.isFull = true
        relay.received("data: {\"choices\":[]}\n\n".utf8Span.span)
        #expect(fake.upstream.isPaused)
        relay.stop()
    }
}

@Suite struct `Error replies` {
    @Test func `say whose doing it was, and whether to try again`() throws {
        let fake = FakeExchange(try EventLoop())
        ErrorReply.send(Rejection(.caller, 400, code: "bad", "It is \"bad\".", param: "model"), to: fake.context)
        #expect(fake.downstream.status == 400)
        #expect(
            fake.downstream.text
                == #"{"error":{"message":"It is \"bad\".","type":"invalid_request_error","param":"model","code":"bad"}}"#
        )
        #expect(fake.downstream.field(.xShouldRetry) == "false")
        #expect(fake.downstream.field(.xRequestID) == "req-1")
        #expect(fake.downstream.field(.retryAfter) == nil)
        #expect(fake.downstream.end == .finished)
        let busy = FakeExchange(try EventLoop())
        ErrorReply.send(
            Rejection(.gateway, 503, type: "api_error", code: "busy", "Busy.", isRetryable: true), to: busy.context)
        #expect(busy.downstream.field(.retryAfter) == "1")
        #expect(busy.downstream.field(.xShouldRetry) == nil)
    }

    @Test func `nobody is there to read 499`() throws {
        let fake = FakeExchange(try EventLoop())
        ErrorReply.send(.gone, to: fake.context)
        #expect(fake.downstream.status == nil)
        #expect(fake.downstream.end == .aborted)
    }

    @Test func `within a stream are an event of its dialect`() throws {
        let fake = FakeExchange(try EventLoop())
        let rejection = Rejection(.provider, 502, type: "api_error", code: "cut", "Cut.")
        let chat = String(decoding: ErrorReply.event(rejection, fake.context).span)
        #expect(chat == #"data: {"error":{"message":"Cut.","type":"api_error","param":null,"code":"cut"}}"# + "\n\n")
        fake.context.operation = .responses
        fake.context.streamBegins(200)
        let responses = String(decoding: ErrorReply.event(rejection, fake.context).span)
        #expect(
            responses == "event: error\ndata: "
                + #"{"type":"error","code":"cut","message":"Cut.","param":null,"sequence_number":0}"# + "\n\n")
    }
}
