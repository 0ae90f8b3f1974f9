import SluiceCore
import SluiceProviders
import Testing

@Suite struct `Keys that take turns` {
    private func ring(_ count: Int) -> KeyRing { KeyRing((0..<count).map { .bearer(Secret("key-number-\($0)")) }) }
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test func `each request shows the next one`() {
        let ring = ring(3)
        #expect((0..<6).map { _ in ring.next(at: start) } == [0, 1, 2, 0, 1, 2])
    }

    @Test func `a provider without keys shows none`() { #expect(ring(0).next(at: start) == nil) }

    @Test func `a key that is set aside is left out until its time is over`() {
        let ring = ring(3)
        let isNew = ring.setAside(1, .exhausted, for: .seconds(10), at: start)
        #expect(isNew)
        #expect(Set((0..<9).map { _ in ring.next(at: start) }) == [0, 2])
        #expect(ring.current(at: start).map(\.index) == [1])
        let later = start + .seconds(10)
        #expect(Set((0..<9).map { _ in ring.next(at: later) }) == [0, 1, 2])
        #expect(ring.current(at: later).isEmpty)
    }

    @Test func `when all are set aside the one that is free the soonest is shown`() {
        let ring = ring(2)
        ring.setAside(0, .refused, at: start)
        ring.setAside(1, .exhausted, for: .seconds(5), at: start)
        #expect(ring.next(at: start) == 1)
        #expect(!ring.hasOther(than: 1, at: start))
    }

    @Test func `setting a key aside once more is nothing new, and counts from the last time`() {
        let ring = ring(2)
        ring.setAside(0, .exhausted, for: .seconds(5), at: start)
        let isNew = ring.setAside(0, .exhausted, for: .seconds(5), at: start + .seconds(3))
        #expect(!isNew)
        #expect(ring.hasOther(than: 0, at: start + .seconds(6)))
        #expect(ring.current(at: start + .seconds(6)).map(\.until) == [start + .seconds(8)])
    }

    @Test func `another key is there only if one is not set aside`() {
        let ring = ring(2)
        #expect(ring.hasOther(than: 0, at: start))
        #expect(!self.ring(1).hasOther(than: 0, at: start))
    }
}
