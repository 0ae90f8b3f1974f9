import SluiceCore
import SluiceNet
import Testing

@Suite struct `Lines about what has happened` {
    @Test func `are whole, and have the time and their fields`() {
        let queue = LogQueue(level: .info) {}
        queue.event(.info, "something") { $0.field("a", 1) }
        queue.failed("something else", "a reason")
        let lines = String(decoding: queue.take().bytes, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasPrefix(#"{"@timestamp":"20"#) && $0.hasSuffix("}") })
        #expect(lines.first?.contains(#""a":1"#) == true)
        #expect(lines.last?.contains(#""error.message":"a reason""#) == true)
    }

    @Test func `are not logged below the level, and their fields not asked for`() {
        let queue = LogQueue(level: .error) {}
        queue.event(.warn, "something") { _ in Issue.record("asked for") }
        #expect(queue.isEmpty)
    }
}
