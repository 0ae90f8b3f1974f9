/// Where a node of a cluster sends a command instead of carrying it out (Redis cluster specification, "MOVED" and "ASK" redirection).
struct RedisRedirection: Equatable {
    /// For this command alone: the slot is on its way there.
    let isAsk: Bool
    let slot: Int
    let address: RedisAddress

    /// Reads `MOVED 3999 127.0.0.1:6381`; `nil` if the reply is anything else.
    ///
    /// - Parameter sender: whose host is meant where none is named.
    init?(_ reply: RedisReply, from sender: RedisAddress) {
        guard let line = reply.error else { return nil }
        let parts = line.split(separator: " ")
        guard parts.count == 3, parts[0] == "MOVED" || parts[0] == "ASK", let slot = Int(parts[1]),
            0..<RedisSlot.count ~= slot, let colon = parts[2].lastIndex(of: ":"),
            let port = Int(parts[2][parts[2].index(after: colon)...]),
            let address = RedisClusterMap.address(String(parts[2][..<colon]), port, from: sender)
        else { return nil }
        isAsk = parts[0] == "ASK"
        self.slot = slot
        self.address = address
    }
}
