import SluiceCore
import SluiceNet

/// Notes what a transport tells, and does what a test wants it to do then.
final class Recorder: TransportDelegate {
    enum Event: Equatable {
        case secured
        case received(Int)
        case filled, ended, failed, drained, closed
    }

    private(set) var events: [Event] = []
    private(set) var bytes: [UInt8] = []
    private(set) var error: TransportError?
    /// Called after an event was noted.
    var then: (Event) -> Void = { _ in }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    private func note(_ event: Event) {
        events.append(event)
        then(event)
    }

    func transportSecured() { note(.secured) }
    func transportReceived(_ span: Span<UInt8>) {
        for index in span.indices { bytes.append(span[index]) }
        note(.received(span.count))
    }
    func transportFilled() { note(.filled) }
    func transportEnded() { note(.ended) }
    func transportFailed(_ error: TransportError) {
        self.error = error
        note(.failed)
    }
    func transportDrained() { note(.drained) }
    func transportClosed() { note(.closed) }
}
