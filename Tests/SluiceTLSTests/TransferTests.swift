import SluiceCore
import TestSupport
import Testing

@testable import SluiceTLS

@Suite struct `TLS transfers` {
    @Test(arguments: [TLSVersions.tls12Only, .tls13Only])
    func `ciphertext may be split at every byte`(versions: TLSVersions) throws {
        let listener = try TLSContext.listener("api")
        let cluster = try TLSContext.cluster(versions: versions)
        let pair = try SessionPair(listener, cluster)
        pair.nextSplit = { 1 }
        pair.run()
        #expect(pair.handshakesReported == 2)
        try pair.upstream.send("a request".utf8Span.span)
        try pair.downstream.send("an answer".utf8Span.span)
        pair.run()
        #expect(pair.atDownstream.text == "a request" && pair.atUpstream.text == "an answer")
    }

    @Test func `two pieces split anywhere say the same`() throws {
        let listener = try TLSContext.listener("api")
        let cluster = try TLSContext.cluster()
        let pair = try SessionPair(listener, cluster)
        pair.run()
        for cut in 0...60 {
            try pair.upstream.send("request \(cut)".utf8Span.span)
            try pair.upstream.send("!".utf8Span.span)
            let bytes = pair.upstream.outbound.takeAll()
            pair.deliver(Array(bytes.prefix(cut)), to: .downstream)
            pair.deliver(Array(bytes.dropFirst(cut)), to: .downstream)
            #expect(pair.atDownstream.text == "request \(cut)!")
            pair.atDownstream.removeAll()
        }
    }

    @Test func `large transfers arrive whole, however they are split`() throws {
        let listener = try TLSContext.listener("api")
        let cluster = try TLSContext.cluster()
        for seed in SplitMix64.seeds(12) {
            var random = SplitMix64(seed)
            let pair = try SessionPair(listener, cluster)
            let scale = [64, 2000, 20_000, 200_000][Int(seed % 4)]
            pair.nextSplit = { Int.random(in: 1...scale, using: &random) }
            var limits = SplitMix64(seed &+ 1000)
            pair.nextLimit = { Int.random(in: 1...80_000, using: &limits) }
            pair.run()
            var content = SplitMix64(seed &+ 2000)
            var up: [UInt8] = []
            var down: [UInt8] = []
            for _ in 0..<4 {
                let queue = randomQueue(&content, &up)
                while !queue.isEmpty { try pair.upstream.send(draining: queue, atMost: 50_000) }
                let piece = randomBytes(&content, 0...40_000)
                try pair.downstream.send(piece.span)
                down += piece
                pair.run()
            }
            #expect(Array(pair.atDownstream) == up, "seed \(seed)")
            #expect(Array(pair.atUpstream) == down, "seed \(seed)")
        }
    }

    /// Runs of all sizes, shared and copied.
    private func randomQueue(_ random: inout SplitMix64, _ copy: inout [UInt8]) -> ByteQueue {
        let queue = ByteQueue()
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let piece = randomBytes(&random, Bool.random(using: &random) ? 0...300 : 0...60_000)
            queue.append(sharing: ByteBuffer(copying: piece.span))
            copy += piece
        }
        return queue
    }

    private func randomBytes(_ random: inout SplitMix64, _ range: ClosedRange<Int>) -> [UInt8] {
        let count = Int.random(in: range, using: &random)
        let start = UInt8(truncatingIfNeeded: random.next())
        return unsafe Array(unsafeUninitializedCapacity: count) { space, filled in
            for index in 0..<count { unsafe space[index] = start &+ UInt8(truncatingIfNeeded: index &* 31) }
            filled = count
        }
    }

    @Test func `small runs share a record`() throws {
        let pair = try SessionPair(.listener("api"), .cluster())
        pair.run()
        let queue = ByteQueue()
        for letter in ["a", "b", "c"] {
            queue.append(sharing: ByteBuffer(String(repeating: letter, count: 5000)))
        }
        #expect(queue.runCount == 3)
        #expect(try pair.upstream.send(draining: queue) == 15_000)
        #expect(queue.isEmpty)
        // TLS 1.3: a header of 5 bytes, the content type and a tag of 16 (RFC 8446 §5.2).
        #expect(pair.upstream.outbound.count == 15_000 + 22)
    }

    @Test func `a drain takes no more than it may`() throws {
        let pair = try SessionPair(.listener("api"), .cluster())
        pair.run()
        let queue = ByteQueue()
        queue.append(sharing: ByteBuffer(String(repeating: "x", count: 100_000)))
        #expect(try pair.upstream.send(draining: queue, atMost: 40_000) == 40_000)
        #expect(queue.count == 60_000)
        #expect(pair.upstream.outbound.count == 40_000 + 3 * 22)
        #expect(try pair.upstream.send(draining: ByteQueue()) == 0)
    }

    @Test func `a full space stops the receiver until it is called again`() throws {
        let pair = try SessionPair(.listener("api"), .cluster())
        pair.run()
        try pair.upstream.send([UInt8](repeating: 1, count: 50_000).span)
        let bytes = pair.upstream.outbound.takeAll()
        let sink = ByteBuffer()
        var progress = try pair.downstream.receive(bytes.span, appendingTo: sink, atMost: 1000)
        #expect(progress == TLSSession.Progress(plaintextByteCount: 1000, next: .hasMore))
        var calls = 1
        while progress.next == .hasMore {
            progress = try pair.downstream.receiveMore(appendingTo: sink, atMost: 1000)
            #expect(progress.plaintextByteCount <= 1000)
            calls += 1
        }
        #expect(calls == 50 && sink.count == 50_000 && progress.next == .needsInput)
    }

    @Test func `a space of no bytes lets the handshake go on and nothing else`() throws {
        let pair = try SessionPair(.listener("api"), .cluster())
        pair.run()
        try pair.upstream.send("data".utf8Span.span)
        let bytes = pair.upstream.outbound.takeAll()
        let none = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
        let progress = try unsafe pair.downstream.receive(bytes.span, into: none)
        #expect(progress == TLSSession.Progress(next: .hasMore))
        let sink = ByteBuffer()
        _ = try pair.downstream.receiveMore(appendingTo: sink)
        #expect(sink.text == "data")
    }
}

extension Array where Element == UInt8 {
    init(_ buffer: ByteBuffer) { self = unsafe buffer.span.withUnsafeBufferPointer { unsafe Array($0) } }
}
