internal import Synchronization

/// How much the process has on its hands: exchanges under way, and how short of memory it is. Shared by all workers.
package final class LoadGauge: Sendable {
    /// The steps that a shortage of memory leads to.
    package enum Pressure: UInt8, Comparable, Sendable {
        case none
        /// Idle connections are closed.
        case drain
        /// Requests are refused.
        case refuseRequests
        /// Connections are refused.
        case refuseConnections
        package static func < (a: Pressure, b: Pressure) -> Bool { a.rawValue < b.rawValue }
    }

    private let count = Atomic<Int>(0)
    private let peak = Atomic<Int>(0)
    private let rawPressure = Atomic<UInt8>(0)
    /// Requests of each rank that were shed for want of room.
    private let shed = Mutex<[Int]>([])

    package init() {}

    package var inFlight: Int { count.load(ordering: .relaxed) }

    package var pressure: Pressure {
        get { Pressure(rawValue: rawPressure.load(ordering: .relaxed)) ?? .none }
        set { rawPressure.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// The most exchanges at one time since this was last asked.
    package func takePeak() -> Int { peak.exchange(inFlight, ordering: .relaxed) }

    /// - Returns: how many exchanges are under way, this one included.
    func enter() -> Int {
        let now = count.add(1, ordering: .relaxed).newValue
        if now > peak.load(ordering: .relaxed) { peak.store(now, ordering: .relaxed) }
        return now
    }

    func noteShed(rank: Int) {
        shed.withLock { shed in
            while shed.count <= rank { shed.append(0) }
            shed[rank] += 1
        }
    }

    /// How many requests of a rank were shed for want of room.
    package func shedCount(rank: Int) -> Int { shed.withLock { $0.indices.contains(rank) ? $0[rank] : 0 } }

    func leave() { count.subtract(1, ordering: .relaxed) }
}
