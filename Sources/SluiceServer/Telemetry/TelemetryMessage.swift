internal import SluiceHTTP

/// One request to a receiver of telemetry.
struct TelemetryMessage: Sendable {
    var method = Method.post
    /// After the path of the receiver's URL; with a slash in front, or empty.
    var target = ""
    var contentType: StaticString?
    /// More of them, names in lower case.
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// How many samples, spans or lines it holds: what is counted when it is sent or dropped.
    var itemCount = 0
    /// It says all that the one before it says: that one need not be sent any more.
    var replacesEarlier = false
    /// Statuses upon which it is sent again; `nil`: 408, 429 and all from 500 on.
    var laterStatuses: Set<Int>?
    /// Reads from the body of a reply with a status of 2xx how many of the items were not taken after all.
    var refusedItems: (@Sendable (Span<UInt8>) -> Int)?
}

/// What waits for one receiver, the oldest first: bounded, and the oldest goes when there is more.
struct TelemetryQueue {
    private(set) var messages: [TelemetryMessage] = []
    private(set) var byteCount = 0
    private let byteCountMax: Int
    /// Of small ones too.
    static let countMax = 10_000

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    var isEmpty: Bool { messages.isEmpty }
    var first: TelemetryMessage? { messages.first }

    /// - Parameter isFirstUnderWay: the oldest is being sent, and stays.
    /// - Returns: those that were dropped for want of room, the new one among them if it has none by itself; and those that the
    ///   new one replaces.
    mutating func add(_ message: TelemetryMessage, isFirstUnderWay: Bool) -> (dropped: [TelemetryMessage], replaced: Int) {
        if message.body.count > byteCountMax { return ([message], 0) }
        let kept = isFirstUnderWay && !messages.isEmpty ? 1 : 0
        var replaced = 0
        if message.replacesEarlier {
            while messages.count > kept {
                removeLast()
                replaced += 1
            }
        }
        messages.append(message)
        byteCount += message.body.count
        var dropped: [TelemetryMessage] = []
        // The new one goes too where the one that is under way leaves it no room.
        while byteCount > byteCountMax || messages.count > Self.countMax, messages.count > kept {
            dropped.append(remove(at: kept))
        }
        return (dropped, replaced)
    }

    mutating func removeFirst() { if !messages.isEmpty { _ = remove(at: 0) } }

    private mutating func removeLast() { _ = remove(at: messages.count - 1) }

    private mutating func remove(at index: Int) -> TelemetryMessage {
        let message = messages.remove(at: index)
        byteCount -= message.body.count
        return message
    }
}
