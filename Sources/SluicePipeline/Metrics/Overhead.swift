package import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// What Sluice itself adds to an exchange, by what it is doing meanwhile. Waiting for a provider, a place or the application is in none.
package struct Overhead {
    package enum Phase: Int, CaseIterable {
        /// Who asks is found out.
        case authenticate
        /// The request is read.
        case parse
        /// Permissions, limits, the cache, and who is to answer.
        case plan
        /// The request is put into the provider's words, and signed.
        case translate
        /// From the response's bytes that were needed to the head of ours.
        case reply

        var name: String { "\(self)" }
    }

    private var times = InlineArray<5, Int64>(repeating: 0)
    /// Which of them there were, by bit.
    private(set) var phases: UInt8 = 0
    /// Since when what is done now is done.
    private(set) var mark = Instant(nanoseconds: 0)
    /// Nanoseconds.
    private var waitedBefore: Int64 = 0
    /// The request has been handed to a connection.
    private(set) var isSent = false

    /// Nanoseconds.
    subscript(phase: Phase) -> Int64 { times[phase.rawValue] }

    var total: Int64 {
        var total: Int64 = 0
        for index in times.indices { total += times[index] }
        return total
    }

    /// What follows begins now.
    ///
    /// - Parameter waited: how long the exchange has waited for others until now, in all.
    mutating func begin(at now: Instant, waited: Duration) {
        begin(at: now, waitedNanoseconds: waited.nanoseconds)
    }

    private mutating func begin(at now: Instant, waitedNanoseconds: Int64) {
        mark = now
        waitedBefore = waitedNanoseconds
    }

    /// What was begun is over, and what follows it begins.
    mutating func end(_ phase: Phase, at now: Instant, waited: Duration) {
        // Durations are 128 bits wide, and this is done for each phase of every request.
        let waitedNow = waited.nanoseconds
        let took = now.nanoseconds &- mark.nanoseconds &- (waitedNow &- waitedBefore)
        times[phase.rawValue] += max(0, took)
        phases |= 1 << UInt8(phase.rawValue)
        begin(at: now, waitedNanoseconds: waitedNow)
    }

    func has(_ phase: Phase) -> Bool { phases & 1 << UInt8(phase.rawValue) != 0 }

    mutating func noteSent() { isSent = true }
}

extension RequestContext {
    /// How long it has waited for others on its way to a provider.
    private var waitedInAll: Duration { queueTime.map { $0 + waited } ?? waited }

    /// What follows is Sluice's own doing.
    package func beginPhase(at begin: Instant) { overhead.begin(at: begin, waited: waitedInAll) }

    package func endPhase(_ phase: Overhead.Phase) { overhead.end(phase, at: EventLoop.readClock(), waited: waitedInAll) }

    /// The request is read: it was so in the turn in which the last of it came.
    func endParsing() {
        beginPhase(at: max(overhead.mark, exchange.loop.now))
        endPhase(.parse)
    }

    /// The first attempt is about to be sent.
    func noteSending() {
        endPhase(.translate)
        overhead.noteSent()
    }

    /// Tells the application, and keeps for the metrics, what was added until now, in milliseconds.
    func appendOverhead(to fields: inout HeaderFields) {
        if !overhead.has(.plan) {
            // Answered before anybody was chosen: by the cache.
            endPhase(.plan)
        } else if !overhead.has(.reply) {
            // What is done with bytes that came is done in the turn of the loop in which they came.
            beginPhase(at: exchange.loop.now)
            endPhase(.reply)
        }
        fields.append(lowercaseName: "x-sluice-overhead-ms", decimal: Int(overhead.total / 1000), places: 3)
    }
}
