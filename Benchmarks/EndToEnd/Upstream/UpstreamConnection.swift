/// One connection of the stand-in upstream: a request at a time, and what is still to be sent.
final class UpstreamConnection {
    let file: Int32
    var request = MessageReader(.request)
    var behaviour = Behaviour.plain
    var replies = Replies.chat
    /// The current request's number, counted over the whole server: tells it from what an old timer was for.
    var generation = 0
    var contentEventsLeft = 0
    private var pending: [UInt8] = []
    private var pendingOffset = 0

    init(file: Int32) { self.file = file }

    var hasPendingOutput: Bool { pendingOffset < pending.count }

    /// Sends, or keeps for later what the socket does not take.
    func send(_ bytes: [UInt8]) -> Socket.Outcome {
        if hasPendingOutput { pending.removeFirst(pendingOffset) } else { pending.removeAll(keepingCapacity: false) }
        pendingOffset = 0
        if pending.isEmpty { pending = bytes } else { pending += bytes }
        return flush()
    }

    func flush() -> Socket.Outcome {
        while hasPendingOutput {
            let outcome = Socket.write(file, pending, from: pendingOffset)
            guard case .bytes(let count) = outcome else { return outcome }
            pendingOffset += count
        }
        return .bytes(0)
    }
}
