/// A change of a Redis server that operators hear of, once for the process.
package enum RedisEvent: Sendable, Equatable {
    case unavailable(address: String, reason: String)
    case available(address: String, after: Duration)
    /// Scripts are forbidden: what is to be atomic across the fleet cannot be.
    case scriptsRefused(address: String, reason: String)
    /// Its memory is full and it refuses writes.
    case full(address: String)
    /// Sentinels have made another server the master.
    case masterChanged(from: String, to: String)
}
