import SluiceCore
import Testing

@testable import SluiceMock

@Suite struct `Faults in a body` {
    private static let body = #"{"model":"m","stream":true,"messages":[{"role":"user","content":"a b c d"}]}"#

    private static func script(_ words: String) throws -> Script {
        guard case .script(let script) = try Making.reply(.chatCompletions, body, words).body else {
            throw BehaviourMistake("not a stream")
        }
        return script
    }

    private static func content(_ script: Script) throws -> String {
        let text = (0..<script.count).map { String(decoding: script.buffer.span.extracting(script.range(of: $0))) }
        return try text.filter { $0.hasPrefix("data: {") && $0.hasSuffix("}\n\n") }
            .compactMap { try JSONThing(String($0.dropFirst(6)))["choices"]?[0]?["delta"]?["content"]?.string }.joined()
    }

    private static func events(_ script: Script) -> [String] {
        (0..<script.count).map { String(decoding: script.buffer.span.extracting(script.range(of: $0))) }
    }

    @Test(arguments: [("cut=0.5", Script.End.cut), ("cut-clean=0.5", .proper), ("stall=0.5", .stalled)])
    func `a stream ends after its share, without finish and DONE`(words: String, end: Script.End) throws {
        let script = try Self.script(words)
        #expect(try Self.content(script) == "a b")
        #expect(script.end == end)
        #expect(!Self.events(script).joined().contains("stop"))
        #expect(!Self.events(script).joined().contains("DONE"))
    }

    @Test func `the whole content can come before the cut`() throws {
        let script = try Self.script("cut=1")
        #expect(try Self.content(script) == "a b c d" && script.count == 5)
    }

    @Test func `a malformed event stands in the middle and the rest is whole`() throws {
        let script = try Self.script("malformed")
        #expect(try Self.content(script) == "a b c d")
        let broken = Self.events(script).indices.filter {
            !Self.events(script)[$0].hasSuffix("}\n\n") && !Self.events(script)[$0].contains("DONE")
        }
        #expect(broken == [3])
    }

    @Test func `DONE and finish can be missing, together or alone`() throws {
        #expect(try Self.events(Self.script("no-done")).last?.contains("stop") == true)
        let noFinish = try Self.events(Self.script("no-finish"))
        #expect(noFinish.last == "data: [DONE]\n\n" && !noFinish.joined().contains("stop"))
        let neither = try Self.events(Self.script("no-finish,no-done"))
        #expect(neither.count == 5 && neither.last?.contains(" d") == true)
    }

    @Test func `keep-alives are all there is, or come while the stream is stalled`() throws {
        let only = try Self.script("comments-ms=5")
        #expect(only.count == 0 && only.end == .keptAlive)
        #expect(String(decoding: only.keepAlive, as: UTF8.self) == ": keep-alive\n\n")
        let stalled = try Self.script("stall=0.5,comments-ms=5")
        #expect(try Self.content(stalled) == "a b" && stalled.end == .keptAlive)
        let late = try Self.script("first-token-ms=50,comments-ms=5")
        #expect(try Self.content(late) == "a b c d" && late.end == .proper)
    }

    @Test func `a body that drips has all its bytes`() throws {
        let whole = try Self.events(Self.script(""))
        let drip = try Self.script("drip-ms=1")
        #expect(Self.events(drip).joined() == whole.joined())
        #expect(Self.events(drip).allSatisfy { $0.utf8.count <= 16 } && drip.content == 0..<drip.count)
        #expect(try Self.events(Self.script("drip-ms=1,cut=0.5")).joined() == whole.prefix(3).joined())
    }

    @Test func `an error comes first, or after a share, in the golden's words`() throws {
        let golden = try #require(try Golden.events("G7-chat-stream-error.sse").last)
        #expect(try Self.events(Self.script("error-event")) == [golden])
        let later = try Self.script("error-event=0.5")
        #expect(Self.events(later).last == golden)
        #expect(try Self.content(later) == "a b")
    }

    @Test func `an error of a response stream has its number`() throws {
        let reply = try Making.reply(.responses, #"{"model":"m","input":"a b","stream":true}"#, "error-event=0.5")
        let last = try #require(try JSONThing.payloads(Making.text(reply)).last)
        #expect(last["type"]?.string == "error" && last["sequence_number"]?.int == 5)
        #expect(Making.text(reply).contains("event: error\n"))
    }

    @Test func `a content filter ends half-way and says why`() throws {
        let events = try Self.events(Self.script("content-filter"))
        #expect(try Self.content(Self.script("content-filter")) == "a b")
        #expect(events.dropLast().last?.contains(#""finish_reason":"content_filter""#) == true)
    }

    @Test func `a whole body is cut within its announced length`() throws {
        let body = ByteBuffer(String(repeating: "x", count: 100))
        let cut = Script(whole: body).spoiled(by: try BehaviourGrammar.list("cut=0.25", over: Behaviour()), .plain)
        #expect(cut.range(of: 0) == 0..<25 && cut.announcedByteCount == 100 && cut.end == .cut)
        let clean = Script(whole: body).spoiled(
            by: try BehaviourGrammar.list("cut-clean=0.25", over: Behaviour()), .plain)
        #expect(clean.range(of: 0) == 0..<25 && clean.announcedByteCount == nil && clean.end == .proper)
        let short = Script(whole: body).spoiled(by: try BehaviourGrammar.list("bad-length", over: Behaviour()), .plain)
        #expect(short.range(of: 0) == 0..<100 && short.announcedByteCount == 164 && short.end == .cut)
        let malformed = Script(whole: body).spoiled(
            by: try BehaviourGrammar.list("malformed", over: Behaviour()), .plain)
        #expect(malformed.range(of: 0) == 0..<50 && malformed.announcedByteCount == 50 && malformed.end == .proper)
    }
}

@Suite struct `Pace of a stream` {
    @Test func `events are due at their rate, however late the last one was`() throws {
        let behaviour = try BehaviourGrammar.list("event-ms=10,first-token-ms=100", over: Behaviour())
        let pacing = Pacing(behaviour)
        var clock = Pacing.Clock(seed: 1)
        let start = Instant(nanoseconds: 1_000_000_000)
        #expect(clock.due(pacing, at: start) == start + .milliseconds(100))
        #expect(clock.due(pacing, at: start + .milliseconds(125)) == nil)
        clock.sent(pacing)
        #expect(clock.due(pacing, at: start + .milliseconds(125)) == nil)
        clock.sent(pacing)
        #expect(clock.due(pacing, at: start + .milliseconds(125)) == nil)
        clock.sent(pacing)
        #expect(clock.due(pacing, at: start + .milliseconds(125)) == start + .milliseconds(130))
    }

    @Test func `jitter keeps within its share and the same seed gives the same gaps`() throws {
        let pacing = Pacing(try BehaviourGrammar.list("event-ms=10,jitter=0.5", over: Behaviour()))
        func gaps(_ seed: UInt64) -> [Double] {
            var clock = Pacing.Clock(seed: seed)
            var last = Instant(nanoseconds: 0)
            _ = clock.due(pacing, at: last)
            return (0..<50).map { _ in
                clock.sent(pacing)
                let due = clock.due(pacing, at: Instant(nanoseconds: 0)) ?? last
                defer { last = due }
                return (due - last).milliseconds
            }
        }
        #expect(gaps(3).allSatisfy { $0 >= 5 && $0 <= 15 })
        #expect(gaps(3) == gaps(3) && gaps(3) != gaps(4))
        #expect(Set(gaps(3)).count > 40)
    }
}
