internal import SluiceCore
internal import SluiceStorage

extension EventLog {
    /// A Redis server has changed. Told once for the process, not once for each worker.
    func redis(_ event: RedisEvent) {
        switch event {
        case .unavailable(let address, let reason):
            self.event(.warn, "redis unavailable: what is shared is local now") { line in
                line.field("server.address", address)
                line.field("error.message", reason)
            }
        case .available(let address, let after):
            self.event(.info, "redis available again") { line in
                line.field("server.address", address)
                line.field("sluice.redis.unavailable_ms", milliseconds: after)
            }
        case .scriptsRefused(let address, let reason):
            self.event(.error, "redis refuses scripts: limits are local, for good") { line in
                line.field("server.address", address)
                line.field("error.message", reason)
            }
        case .full(let address):
            self.event(.warn, "redis is full: it refuses writes") { $0.field("server.address", address) }
        case .masterChanged(let from, let to):
            self.event(.warn, "redis master changed") { line in
                line.field("server.address", to)
                line.field("sluice.redis.master_before", from)
            }
        }
    }
}
