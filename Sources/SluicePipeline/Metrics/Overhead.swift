internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// What Sluice itself adds to an exchange.
struct Overhead {
    /// From the request's last byte that was needed to its being handed to a connection, without the wait for a place.
    var request: Duration
    /// From the response's bytes that were needed to the head of ours.
    var reply = Duration.zero
}

extension RequestContext {
    /// The first attempt is about to be sent.
    func noteSending() {
        guard let readAt else { return }
        overhead = Overhead(request: max(.zero, EventLoop.readClock() - readAt - (queueTime ?? .zero)))
    }

    /// Tells the application, and keeps for the metrics, what was added until now, in milliseconds.
    func appendOverhead(to fields: inout HeaderFields) {
        guard var overhead else { return }
        // What is done about bytes that came is done in the turn of the loop in which they came.
        overhead.reply = max(.zero, EventLoop.readClock() - exchange.loop.now)
        self.overhead = overhead
        let microseconds = Int((overhead.request + overhead.reply).nanoseconds / 1000)
        let text = ByteBuffer(capacity: 32)
        text.append(decimal: microseconds / 1000)
        text.append(UInt8(ascii: "."))
        let thousandths = microseconds % 1000
        text.append(UInt8(ascii: "0") + UInt8(thousandths / 100))
        text.append(UInt8(ascii: "0") + UInt8(thousandths / 10 % 10))
        text.append(UInt8(ascii: "0") + UInt8(thousandths % 10))
        fields.append(lowercaseName: "x-sluice-overhead-ms", text.span)
    }
}
