/// How long and how hard to measure.
struct Settings {
    /// Rounds over all subjects; the table shows medians.
    var runs = 3
    /// Instead of what each row wants.
    var upstream: UpstreamKind?
    /// Load before a window opens, and the window, in nanoseconds.
    var warmUp = 700 * Clock.millisecond
    var window = 2 * Clock.second
    /// Of the open loop, requests per second.
    var rate = 1_000
    var silentStreamCount = 9_000
    var burstRequestCount = 1_500
    /// How often a proxy is started for its start time in a round.
    var startCount = 5
    /// Whether proxies that take many seconds to start are left out, unless they are asked for.
    var skipsSlow = false
    /// How long after a burst the memory is looked at, in nanoseconds.
    var recovery = 5 * Clock.second
    /// How long the load of the soak goes on, in nanoseconds.
    var soak = 45 * Clock.second

    /// All rows in a few minutes: enough to see that nothing has broken, too short to compare by.
    static let quick = Settings(
        runs: 1, warmUp: 300 * Clock.millisecond, window: Clock.second, silentStreamCount: 1_000,
        burstRequestCount: 300, startCount: 3, skipsSlow: true, recovery: 2 * Clock.second,
        soak: 15 * Clock.second)
}
