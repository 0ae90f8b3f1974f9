internal import SluiceNet

/// The time of day, for identifiers and dates.
enum WallClock {
    static var seconds: Int { Int(EventLoop.readWallClock() / 1_000_000_000) }
    static var milliseconds: Int { Int(EventLoop.readWallClock() / 1_000_000) }
}
