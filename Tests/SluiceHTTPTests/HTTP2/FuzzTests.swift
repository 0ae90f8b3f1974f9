import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `HTTP/2 fuzzing` {
    /// A conversation's bytes, from the preface on.
    private static let conversation: [UInt8] = {
        var writer = FrameWriter()
        writer.raw(FrameWriter.preface)
        writer.settings([(3, 100), (4, 65_535), (1, 4_096)])
        writer.windowUpdate(0, 100_000)
        writer.headers(1, FrameWriter.get() + [("cookie", "a=b"), ("accept", "*/*")])
        writer.headers(3, FrameWriter.post([("content-length", "5")]), flags: FrameWriter.endHeaders)
        writer.data(3, Array("hello".utf8), flags: FrameWriter.endStream)
        writer.ping()
        writer.headers(5, FrameWriter.post(), flags: 0)
        writer.frame(9, flags: FrameWriter.endHeaders, stream: 5, FrameWriter.block([("x-a", "b")]))
        writer.data(5, [2, 104, 105, 0, 0], flags: FrameWriter.padded)
        writer.windowUpdate(5, 1_000)
        writer.frame(2, stream: 7, [0, 0, 0, 3, 15])
        writer.headers(5, [("x-sum", "1")])
        writer.headers(7, FrameWriter.post(), flags: FrameWriter.endHeaders)
        writer.reset(7)
        writer.settings([(4, 10)])
        writer.headers(9, FrameWriter.get())
        writer.goAway(last: 0)
        return writer.bytes
    }()

    private func server() throws -> RawPeer {
        let peer = try RawPeer(greets: false)
        peer.recorder.onEnd = { [unowned session = peer.session] stream in
            session.respond(stream, .ok(), body: .unknown)
            session.send("an answer that is longer than ten bytes".utf8Span.span, on: stream)
            session.finish(stream)
        }
        return peer
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.remove(at: at)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
            default:
                let end = min(bytes.count, at + Int.random(in: 1..<60, using: &random))
                bytes.insert(
                    contentsOf: Array(bytes[at..<end]),
                    at: Int.random(in: 24...max(24, bytes.count - 1), using: &random))
            }
        }
    }

    @Test func `no bytes make a server trap, hang or contradict itself`() throws {
        for seed in SplitMix64.seeds(1_500) {
            var random = SplitMix64(seed)
            var bytes = Self.conversation
            mutate(&bytes, &random)
            let peer = try server()
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...200, using: &random))
                peer.send(bytes: Array(bytes[start..<end]))
                start = end
            }
            expectConsistent(peer, seed)
        }
    }

    @Test func `no frames make a server trap, hang or contradict itself`() throws {
        for seed in SplitMix64.seeds(700) {
            var random = SplitMix64(seed)
            let peer = try server()
            peer.send(bytes: FrameWriter.preface)
            peer.send { $0.settings() }
            for _ in 0..<Int.random(in: 1...40, using: &random) { peer.send { Self.randomFrame(&$0, &random) } }
            expectConsistent(peer, seed)
        }
    }

    @Test func `no bytes make a client trap, hang or contradict itself`() throws {
        var writer = FrameWriter()
        writer.settings()
        writer.headers(1, [(":status", "103")], flags: FrameWriter.endHeaders)
        writer.headers(1, [(":status", "200"), ("content-length", "5")], flags: FrameWriter.endHeaders)
        writer.data(1, Array("hello".utf8), flags: FrameWriter.endStream)
        writer.headers(3, [(":status", "200")], flags: FrameWriter.endHeaders)
        writer.data(3, Array("data".utf8))
        writer.headers(3, [("x-sum", "1")])
        writer.reset(5)
        writer.goAway(last: 5)
        let conversation = writer.bytes
        for seed in SplitMix64.seeds(1_500) {
            var random = SplitMix64(seed)
            var bytes = conversation
            mutate(&bytes, &random)
            let peer = try RawPeer(role: .client, greets: false)
            for _ in 0..<3 { _ = try peer.session.submitRequest(.get("/"), scheme: "https", body: .none) }
            peer.read()
            for start in stride(from: 0, to: bytes.count, by: 50) {
                peer.send(bytes: Array(bytes[start..<min(start + 50, bytes.count)]))
            }
            expectConsistent(peer, seed)
        }
    }

    /// How a conversation was cut does not change what was said, nor how it ended.
    @Test func `mutated bytes mean the same however they are cut`() throws {
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            var bytes = Self.conversation
            mutate(&bytes, &random)
            let (whole, cut) = (try server(), try server())
            whole.reads = false
            cut.reads = false
            whole.send(bytes: bytes)
            for byte in bytes { cut.send(bytes: [byte]) }
            #expect(Self.heard(whole) == Self.heard(cut), "seed \(seed)")
            whole.read()
            cut.read()
            // After the peer's GOAWAY a connection without streams is over; what else was in that read may still be judged.
            let isOver = whole.recorder.log.contains { $0.hasPrefix("goAway") }
            #expect(isOver || whole.goAwayCode == cut.goAwayCode, "seed \(seed)")
        }
    }

    /// What was heard, with the pieces of bodies put together. Of a body that breaks off, how much was heard before it
    /// did depends on the cuts.
    private static func heard(_ peer: RawPeer) -> [String] {
        let ended = peer.recorder.bodies.keys.sorted().filter { number in
            peer.recorder.log.contains { $0.hasPrefix("ended \(number)") }
        }
        return peer.recorder.log.filter { !$0.hasPrefix("body") } + ended.map { "\($0) \(peer.recorder.body($0))" }
    }

    private static func randomFrame(_ writer: inout FrameWriter, _ random: inout SplitMix64) {
        let stream = UInt32.random(in: 0..<12, using: &random)
        let flags = UInt8.random(in: 0...255, using: &random) & [0xff, 0x05, 0x04, 0x01].randomElement(using: &random)!
        switch Int.random(in: 0..<8, using: &random) {
        case 0: writer.headers(stream | 1, FrameWriter.get(), flags: flags)
        case 1: writer.headers(stream | 1, FrameWriter.post([("content-length", "3")]), flags: FrameWriter.endHeaders)
        case 2:
            writer.data(stream | 1, [UInt8](repeating: 3, count: Int.random(in: 0..<40, using: &random)), flags: flags)
        case 3:
            writer.windowUpdate(
                stream, UInt32.random(in: 0...UInt32.max, using: &random) >> UInt32.random(in: 0..<32, using: &random))
        case 4: writer.reset(stream)
        case 5:
            writer.settings([
                (
                    UInt16.random(in: 0..<10, using: &random),
                    UInt32.random(in: 0...UInt32.max, using: &random) >> UInt32.random(in: 0..<32, using: &random)
                )
            ])
        default:
            let payload = (0..<Int.random(in: 0..<30, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            writer.frame(UInt8.random(in: 0..<14, using: &random), flags: flags, stream: stream, payload)
        }
    }

    /// Each stream closes at most once and is not heard of afterwards; a connection that failed says why and is over.
    private func expectConsistent(_ peer: RawPeer, _ seed: UInt64) {
        var closed: Set<Substring> = []
        for line in peer.recorder.log {
            let words = line.split(separator: " ")
            if words[0] == "goAway" || words[0] == "acknowledged" { continue }
            #expect(!closed.contains(words[1]), "seed \(seed): \(peer.recorder.log)")
            if words[0] == "closed" { closed.insert(words[1]) }
        }
        if peer.session.failure != nil {
            #expect(peer.session.isFinished, "seed \(seed)")
            #expect(peer.frames.contains { $0.type == 7 }, "seed \(seed)")
        }
        let before = peer.session.openStreamCount
        peer.session.connectionLost(for: peer.recorder)
        #expect(peer.session.openStreamCount == 0, "seed \(seed)")
        #expect(before <= 100, "seed \(seed)")
    }
}
