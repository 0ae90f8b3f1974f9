import SluiceCore
import TestSupport
import Testing

@Suite struct `Queued bytes` {
    @Test func `leave in the order in which they came, however they are consumed`() {
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let queue = ByteQueue()
            var expected: [UInt8] = []
            var sent: [UInt8] = []
            for _ in 0..<50 {
                let bytes = (0..<Int.random(in: 0...9000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                expected += bytes
                if Bool.random(using: &random) {
                    queue.append(sharing: ByteBuffer(copying: bytes.span))
                } else {
                    queue.append(bytes.span)
                }
                var taken = Int.random(in: 0...queue.count, using: &random)
                queue.drain(&taken, into: &sent)
            }
            var rest = queue.count
            queue.drain(&rest, into: &sent)
            #expect(sent == expected, "seed \(seed)")
            #expect(queue.isEmpty && queue.runCount == 0)
        }
    }
}

extension ByteQueue {
    fileprivate func drain(_ count: inout Int, into sent: inout [UInt8]) {
        var rest = count
        for index in 0..<runCount where rest > 0 {
            let run = unsafe self.run(index)
            let part = min(rest, run.count)
            unsafe sent.append(contentsOf: run[..<part])
            rest -= part
        }
        consume(count)
    }
}
