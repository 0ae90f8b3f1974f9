/// One keep-alive connection of the load, with at most one request under way.
final class HTTP1Connection {
    let token: Int
    var channel: Channel?
    var reader = MessageReader(.response)
    var isBusy = false
    /// When the request should have been sent, and when it was.
    var dueAt = 0
    var sentAt = 0
    var eventCount = 0
    var watchesWriting = false

    init(token: Int) { self.token = token }
}
