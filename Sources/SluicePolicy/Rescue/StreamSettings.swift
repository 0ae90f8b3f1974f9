internal import SluiceCore

/// How streams are looked after.
package struct StreamSettings: Sendable, Equatable {
    package var rescue = RescuePolicy()
    /// Between two events of an answer that say something; zero: never.
    package var gap = Duration.seconds(300)
    /// For how long an answer that nobody wants any more is read, for providers of which it is read at all.
    package var drainTime = Duration.seconds(30)
    package var drainByteCountMax = 1_048_576
    /// At one time, in the process.
    package var drainsMax = 64

    package init() {}
}
