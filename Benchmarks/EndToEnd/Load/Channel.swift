internal import Glibc

/// One connection's bytes, plain or through TLS, with what could not be written yet.
final class Channel {
    let file: Int32
    private let session: TLSClientSession?
    private var pending: [UInt8] = []
    private var pendingOffset = 0

    init(port: UInt16, tls: TLSClient?) throws(Failure) {
        file = try Socket.connect(port: port)
        session = try tls?.makeSession(on: file)
    }

    /// Whether a write waits for room. Under TLS it may as well wait for input: flush after reads too.
    var hasPendingOutput: Bool { pendingOffset < pending.count }

    /// Sends what it can of the bytes and keeps the rest for `flush`.
    func send(_ bytes: [UInt8]) -> Socket.Outcome {
        if hasPendingOutput {
            pending += bytes
        } else {
            pending = bytes
            pendingOffset = 0
        }
        return flush()
    }

    func flush() -> Socket.Outcome {
        while hasPendingOutput {
            let outcome =
                session?.write(pending, from: pendingOffset) ?? Socket.write(file, pending, from: pendingOffset)
            guard case .bytes(let count) = outcome else { return outcome }
            pendingOffset += count
        }
        return .bytes(0)
    }

    func read(into buffer: ReadBuffer) -> Socket.Outcome {
        session?.read(into: buffer) ?? Socket.read(file, into: buffer)
    }

    /// Whether a read that filled less than the buffer may still leave bytes behind: TLS holds decrypted records.
    var mayHoldMore: Bool { session != nil }

    func reset() { Socket.reset(file) }
}
