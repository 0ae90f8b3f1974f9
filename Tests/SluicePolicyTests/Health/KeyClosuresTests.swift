import SluiceCore
import SluicePolicy
import Testing

@Suite struct `Closed keys` {
    private static let now = Instant(nanoseconds: 1_000_000_000)

    @Test func `a key is closed until its time, and the others are open meanwhile`() {
        let closures = KeyClosures()
        #expect(closures.close(1, until: Self.now + .seconds(5), at: Self.now))
        #expect(closures.opening(of: 1, at: Self.now) == Self.now + .seconds(5))
        #expect(closures.opening(of: 0, at: Self.now) == nil)
        #expect(closures.soonestOpening(ofKeys: 2, at: Self.now) == nil)
        #expect(closures.opening(of: 1, at: Self.now + .seconds(5)) == nil)
        #expect(closures.isEmpty)
    }

    @Test func `when all are closed the first that opens counts`() {
        let closures = KeyClosures()
        closures.close(0, until: Self.now + .seconds(9), at: Self.now)
        closures.close(1, until: Self.now + .seconds(3), at: Self.now)
        #expect(closures.soonestOpening(ofKeys: 2, at: Self.now) == Self.now + .seconds(3))
        #expect(closures.soonestOpening(ofKeys: 3, at: Self.now) == nil)
    }

    @Test func `a shorter closure does not open a key earlier`() {
        let closures = KeyClosures()
        closures.close(0, until: Self.now + .seconds(9), at: Self.now)
        #expect(!closures.close(0, until: Self.now + .seconds(1), at: Self.now))
        #expect(closures.opening(of: 0, at: Self.now) == Self.now + .seconds(9))
    }

    @Test func `a target that is closed as a whole is closed for every key, and for none`() {
        let closures = KeyClosures()
        closures.close(KeyClosures.everyKey, until: Self.now + .seconds(2), at: Self.now)
        #expect(closures.opening(of: 4, at: Self.now) == Self.now + .seconds(2))
        #expect(closures.soonestOpening(ofKeys: 0, at: Self.now) == Self.now + .seconds(2))
        #expect(closures.openingOfWhole(at: Self.now) == Self.now + .seconds(2))
        closures.openAll()
        #expect(closures.soonestOpening(ofKeys: 0, at: Self.now) == nil)
    }

    @Test func `what is kept is bounded`() {
        let closures = KeyClosures()
        for key in 0..<5000 { closures.close(key, until: Self.now + .seconds(2), at: Self.now) }
        #expect(closures.current(at: Self.now).count == 1024)
    }
}
