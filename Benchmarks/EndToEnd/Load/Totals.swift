/// What a load has seen since the counters were last reset.
struct Totals {
    var completed = 0
    var failed = 0
    var events = 0
    /// From when the request was due (open loop) or sent (closed loop) to the reply's last byte.
    var latency = Histogram()
    /// From when the request was sent to the second event of its stream: the first one tells the role alone, which a
    /// proxy that can still ask another provider holds back until there is something to read.
    var firstContent = Histogram()
    var firstFailure: String?

    mutating func fail(_ reason: String) {
        failed += 1
        firstFailure = firstFailure ?? reason
    }
}

/// Something that keeps a proxy busy in the way one row of the table asks for.
protocol Load: AnyObject {
    var totals: Totals { get set }

    /// Goes on until the clock says `deadline`; requests under way stay under way.
    func run(until deadline: Int) throws(Failure)
}
