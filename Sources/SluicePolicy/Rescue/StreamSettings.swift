internal import SluiceCore

/// How streams are looked after.
package struct StreamSettings: Sendable, Equatable {
    package var rescue = RescuePolicy()
    /// For how long an answer that nobody wants any more is read, for providers of which it is read at all.
    package var drainTime = Duration.seconds(30)
    package var drainByteCountMax = 1_048_576
    /// At one time, in the process.
    package var drainsMax = 64

    package init() {}
}
