/// When a target is left alone, for how long, and how it comes back.
package struct BreakerSettings: Sendable, Equatable {
    /// What rates are looked at over.
    package var window = Duration.seconds(10)
    /// A share of failures from which on it opens …
    package var failureRate = 0.5
    /// … or a share of slow calls. A call is slow whose head took longer than `slow`; zero: none is.
    package var slowRate = 0.8
    package var slow = Duration.zero
    /// Rates of fewer calls in the window mean nothing.
    package var volumeMin = 20
    /// So many failures in a row open it whatever the rates; 0: no number does.
    package var failuresInRow = 5
    /// How long it stays open the first time; each time that follows soon it is twice as long …
    package var openBase = Duration.seconds(1)
    /// … up to this.
    package var openMax = Duration.seconds(60)
    /// How many requests at a time try a target that was open, and how many of them in a row must succeed.
    package var probesMax = 2

    package init() {}
}
