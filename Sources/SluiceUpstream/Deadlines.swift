package import SluiceCore

/// How long each part of an attempt may take. All are bounded by the exchange's total.
package struct Deadlines: Sendable {
    /// To an open connection, name resolution and TLS included.
    package var connect: Duration
    /// From the sent request to the response's head.
    package var head: Duration
    /// From the sent request to the first content of a stream, which only who reads the stream can tell; zero: never.
    package var firstToken: Duration
    /// Between two arrivals of bytes of the body.
    package var idle: Duration
    /// When everything is over.
    package var total: Instant

    package init(connect: Duration, head: Duration, firstToken: Duration = .zero, idle: Duration, total: Instant) {
        self.connect = connect
        self.head = head
        self.firstToken = firstToken
        self.idle = idle
        self.total = total
    }
}
