package import SluiceCore

extension LogQueue {
    /// Logs what has happened just now, unless its level is not logged. Every call makes its line anew: for what is rare,
    /// from any thread.
    package func event(
        _ level: LogLevel, _ message: StaticString, _ fields: (borrowing LogLine) -> Void = { _ in }
    ) {
        if level < self.level { return }
        let buffer = ByteBuffer(capacity: 256)
        let line = LogLine(level, message, unixNanoseconds: EventLoop.readWallClock(), into: buffer)
        fields(line)
        line.end()
        append(buffer.span)
    }

    package func failed(_ message: StaticString, _ reason: String) {
        event(.error, message) { $0.field("error.message", reason) }
    }
}
