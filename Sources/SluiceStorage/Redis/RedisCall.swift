internal import SluiceCore
internal import SluiceNet

/// One command whose reply somebody waits for.
final class RedisCall {
    typealias Outcome = Result<RedisReply, RedisUnavailable>

    private var outcome: Outcome?
    private var signal = TaskSignal()
    private let handler: ((Outcome) -> Void)?

    /// - Parameter handler: is told the outcome; without one a task waits for it.
    init(_ handler: ((Outcome) -> Void)? = nil) { self.handler = handler }

    /// What the server has answered, if it has.
    var reply: RedisReply? { if case .success(let reply) = outcome { reply } else { nil } }

    /// Only the first outcome counts.
    func settle(_ outcome: Outcome) {
        if self.outcome != nil { return }
        self.outcome = outcome
        if let handler { handler(outcome) } else { signal.give() }
    }

    func wait() async throws(RedisUnavailable) -> RedisReply {
        while true {
            if let outcome { return try outcome.get() }
            unsafe await withUnsafeContinuation { unsafe signal.wait($0) }
        }
    }
}

/// Commands that were sent and not yet answered, in their order.
struct RedisPending {
    struct Entry {
        /// `nil`: nobody waits, or nobody any more.
        var call: RedisCall?
        /// How long it may take once it is written.
        let within: Duration
        var sentAt = Instant.distantFuture
        var deadline = Instant.distantFuture
        /// Counts for the server's health: what sets a connection up or probes it is judged apart.
        var isCounted: Bool
        var isExpired = false
        /// What is sent whole if the server does not know it: a script that nobody waits for.
        var script: Script?
    }

    /// In a box, as few entries have one.
    final class Script {
        let command: RedisCommand
        init(_ command: RedisCommand) { self.command = command }
    }

    private var entries: [Entry] = []
    private var head = 0
    /// Those at the end that have not been written.
    private(set) var unsentCount = 0
    /// Below this, the places of answered commands are kept.
    private static let compactedAt = 64

    var count: Int { entries.count - head }
    var isEmpty: Bool { count == 0 }
    /// When the oldest was written.
    var oldest: Instant { isEmpty ? .distantFuture : entries[head].sentAt }

    mutating func append(_ entry: Entry) {
        entries.append(entry)
        unsentCount += 1
    }

    /// The oldest, whose reply has come.
    mutating func take() -> Entry? {
        if isEmpty { return nil }
        var entry = Entry(call: nil, within: .zero, isCounted: false)
        swap(&entry, &entries[head])
        head += 1
        unsentCount = min(unsentCount, count)
        if head == entries.count {
            entries.removeAll(keepingCapacity: entries.capacity <= Self.compactedAt * 16)
            head = 0
        } else if head >= Self.compactedAt, head * 2 >= entries.count {
            entries.removeFirst(head)
            head = 0
        }
        return entry
    }

    /// Starts the clocks of what is written now.
    ///
    /// - Returns: how many count, and the earliest deadline.
    mutating func markSent(at now: Instant) -> (counted: Int, deadline: Instant) {
        var counted = 0
        var earliest = Instant.distantFuture
        for index in entries.count - unsentCount..<entries.count {
            entries[index].sentAt = now
            entries[index].deadline = now + entries[index].within
            earliest = min(earliest, entries[index].deadline)
            if entries[index].isCounted { counted += 1 }
        }
        unsentCount = 0
        return (counted, earliest)
    }

    struct Expired {
        /// To be told that their time is over.
        var calls: [RedisCall] = []
        /// How many count for the server's health.
        var counted = 0
        /// When the next is due.
        var next = Instant.distantFuture
    }

    /// Takes out those who have waited for too long; the places of their commands stay, for replies that come late.
    mutating func expire(at now: Instant) -> Expired {
        var expired = Expired()
        for index in head..<entries.count - unsentCount where !entries[index].isExpired {
            if entries[index].deadline > now {
                expired.next = min(expired.next, entries[index].deadline)
                continue
            }
            entries[index].isExpired = true
            if entries[index].isCounted { expired.counted += 1 }
            if let call = entries[index].call { expired.calls.append(call) }
            entries[index].call = nil
        }
        return expired
    }
}
