import SluiceCore
import TestSupport
import Testing

@Suite struct `Bytes that move from queue to queue` {
    @Test func `keep their order, whatever is written to either queue meanwhile`() {
        for seed in SplitMix64.seeds(60) {
            var random = SplitMix64(seed)
            let (from, to) = (ByteQueue(), ByteQueue())
            var (waiting, moved): ([UInt8], [UInt8]) = ([], [])
            var next: UInt8 = 0
            for _ in 0..<40 {
                let bytes = (0..<Int.random(in: 0...6000, using: &random)).map { _ in
                    next &+= 1
                    return next
                }
                if Bool.random(using: &random) {
                    from.append(sharing: ByteBuffer(copying: bytes.span))
                } else {
                    from.append(bytes.span)
                }
                waiting += bytes
                let byteCount = Int.random(in: 0...from.count, using: &random)
                to.append([0xff].span)
                from.move(byteCount, to: to)
                moved += [0xff] + waiting.prefix(byteCount)
                waiting.removeFirst(byteCount)
                #expect(from.count == waiting.count && to.count == moved.count, "seed \(seed)")
            }
            var arrived: [UInt8] = []
            for index in 0..<to.runCount { unsafe arrived += Array(to.run(index)) }
            #expect(arrived == moved, "seed \(seed)")
        }
    }

    @Test func `are not copied when they are many`() {
        let (from, to) = (ByteQueue(), ByteQueue())
        let body = ByteBuffer(copying: [UInt8](repeating: 7, count: 50_000).span)
        from.append(sharing: body)
        from.move(20_000, to: to)
        #expect(unsafe to.run(0).baseAddress == body.unsafeBytes.baseAddress)
        #expect(from.count == 30_000)
    }
}
