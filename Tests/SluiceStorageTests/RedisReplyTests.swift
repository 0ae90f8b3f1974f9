import SluiceStorage
import Testing

@Suite struct `Redis replies` {
    @Test func `a nested reply equals itself and nothing else`() {
        let reply = RedisReply.array([.integer(1), .bytes([1, 2]), .null])
        #expect(reply == .array([.integer(1), .bytes([1, 2]), .null]))
        #expect(reply != .array([.integer(1), .bytes([1, 2])]))
    }
}
