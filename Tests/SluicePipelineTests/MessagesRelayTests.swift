import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceNet
import SluiceProviders
import Testing

@testable import SluicePipeline
@testable import SluiceUpstream

@Suite struct `Relaying a stream of Messages` {
    private static let start =
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5}}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n"
    private static let answer =
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"é\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"b\"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\n"
    private static let end = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
    private static let error =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Over\"}}\n\n"

    private static func relay(_ text: String, cut: Int) throws -> (fake: FakeExchange, error: UpstreamError.Reason?) {
        let fake = FakeExchange(try EventLoop())
        fake.context.dialect = .anthropic
        let relay = StreamRelay(
            fake.context, from: fake.upstreamExchange, head: ResponseHead(200), through: AnthropicStreamInspector(),
            tape: JSONTape())
        let bytes = Array(text.utf8)
        relay.received(bytes.span.extracting(0..<cut))
        relay.received(bytes.span.extracting(cut..<bytes.count))
        var reason: UpstreamError.Reason?
        do throws(UpstreamError) { try relay.end() } catch { reason = error.reason }
        relay.stop()
        return (fake, reason)
    }

    @Test func `changes nothing, wherever reads end`() throws {
        let stream = Self.start + Self.answer + Self.end
        for cut in 0...stream.utf8.count {
            let (fake, error) = try Self.relay(stream, cut: cut)
            #expect(fake.downstream.text == stream && error == nil, "cut at \(cut)")
            #expect(fake.context.attempt.usage == Usage(inputTokens: 5, outputTokens: 7), "cut at \(cut)")
        }
    }

    @Test func `an error before the answer sends nothing, wherever reads end`() throws {
        let stream = Self.start + Self.error
        for cut in 0...stream.utf8.count {
            let (fake, error) = try Self.relay(stream, cut: cut)
            #expect(
                fake.downstream.status == nil && fake.downstream.text.isEmpty && error == .reported, "cut at \(cut)")
            #expect(fake.context.attempt.fault?.status == 503)
        }
    }

    @Test func `an error within the answer is passed on and ends it`() throws {
        let stream = Self.start + Self.answer + Self.error
        let (fake, error) = try Self.relay(stream, cut: 10)
        #expect(fake.downstream.text == stream && error == nil)
        #expect(fake.context.outcome == .providerError)
    }

    @Test func `an answer without message_stop is cut short`() throws {
        #expect(try Self.relay(Self.start + Self.answer, cut: 5).error == .closedInBody)
        #expect(try Self.relay(Self.start, cut: 5).fake.downstream.status == nil, "nothing was worth a head")
    }
}
