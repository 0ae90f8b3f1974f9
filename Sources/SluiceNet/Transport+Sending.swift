package import SluiceCore
internal import SluiceTLS

extension Transport {
    /// Ciphertext is not shared as plaintext is: no more of it is made than the socket takes at once, about.
    private static let encryptedAtMost = 65_536

    /// How many bytes wait to be sent, encrypted ones included.
    package var pendingByteCount: Int { outbound.count + (tls?.outbound.count ?? 0) }
    /// The source is to stop until `transportDrained()`.
    package var isCongested: Bool { isAboveHigh }

    /// Queues what `write` appends to the queue; it is sent at the end of the turn.
    package func write(_ write: (ByteQueue) -> Void) {
        if !isOpen { return }
        write(outbound)
        markDirty()
    }

    package func write(_ bytes: Span<UInt8>) {
        if !isOpen { return }
        outbound.append(bytes)
        markDirty()
    }

    /// Has what is queued sent at the end of the turn.
    func markDirty() {
        if outbound.count >= highWatermark { isAboveHigh = true }
        if isBlocked { countBuffered() }
        if isDirty || isBlocked { return }
        isDirty = true
        loop.flushLater(self)
    }

    package func flush() {
        isDirty = false
        while isOpen {
            guard let queue = nextToSend() else { break }
            if queue.isEmpty { break }
            switch Socket.write(fd, from: queue) {
            case .bytes(let count):
                queue.consume(count)
                sentByteCount += count
                lastProgress = loop.now
            case .wouldBlock:
                isBlocked = true
                countBuffered()
                return tellIfDrained()
            case .failed(let error):
                return stoppedSending(error)
            }
        }
        if !isOpen { return }
        countBuffered()
        if outbound.isEmpty { sentEverything() }
        tellIfDrained()
    }

    /// A peer that closes its side without taking everything may have said why: that is read before the connection is given up.
    private func stoppedSending(_ error: SystemError) {
        if dropsUnreadAtEnd { return fail(.system(error)) }
        sendError = error
        isBlocked = true
        hasPeerEnded = true
        if !isPaused { readAgainLater() }
    }

    /// What goes to the socket next: what was queued, or what TLS has made of it.
    private func nextToSend() -> ByteQueue? {
        guard let tls else { return outbound }
        if tls.outbound.isEmpty, tls.isEstablished, !outbound.isEmpty {
            do throws(TLSError) {
                try tls.send(draining: outbound, atMost: Self.encryptedAtMost)
            } catch {
                fail(.tls(error.message))
                return nil
            }
        }
        return tls.outbound
    }

    private func sentEverything() {
        if let tls, closesWhenSent || endsWhenSent {
            tls.close()
            // A notification of 30 bytes: if the socket does not take it now, the peer is not reading.
            if !tls.outbound.isEmpty { _ = Socket.write(fd, from: tls.outbound) }
        }
        if closesWhenSent {
            let owner = delegate
            close()
            owner?.transportClosed()
        } else if endsWhenSent {
            endsWhenSent = false
            Socket.shutdownWriting(fd)
        }
    }

    private func tellIfDrained() {
        guard isOpen, isAboveHigh, outbound.count <= highWatermark / 2 else { return }
        isAboveHigh = false
        delegate?.transportDrained()
    }
}
