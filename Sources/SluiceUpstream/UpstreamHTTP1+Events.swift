internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

extension UpstreamHTTP1: TransportDelegate {
    func transportReceived(_ bytes: Span<UInt8>) {
        guard exchange != nil else { return close() }
        if let pending {
            pending.append(bytes)
            self.pending = nil
            let taken = process(pending.span)
            if taken < pending.count {
                pending.consume(taken)
                self.pending = pending
            }
            return
        }
        let taken = process(bytes)
        if taken < bytes.count { pending = ByteBuffer(copying: bytes.extracting(taken...)) }
    }

    func transportEnded() {
        guard exchange != nil else { return close() }
        if isHeadDone, !isBodyDone, (try? decoder.inputEnded()) != nil {
            isBodyDone = true
            keepsAlive = false
            return finish(leftover: 0)
        }
        broke("closed the connection", isUnprocessed: isUnacknowledged)
    }

    func transportFailed(_ error: TransportError) {
        broke("broke the connection (\(error.text))", early: error.reasonBeforeHead, isUnprocessed: wasReset)
    }

    func transportDrained() { exchange?.drained() }
}

extension UpstreamHTTP1: TimerTarget {
    func timerFired(_ timer: LoopTimer) {
        guard let exchange, let deadlines else { return close() }
        let now = loop.now
        if now >= deadlines.total {
            return fail(UpstreamError(.totalTimeout, "the exchange with \(pool.endpoint.host) took longer than it may"))
        }
        if !isHeadDone {
            let by = max(sentAt, isRequestSent ? sentAt : transport.lastProgress) + deadlines.head
            if now < by { return armFor(by) }
            return fail(
                UpstreamError(
                    .headTimeout, "\(pool.endpoint.host) did not answer within \(Int(deadlines.head.milliseconds)) ms"))
        }
        let by = exchange.isPaused ? now + deadlines.idle : exchange.lastProgress + deadlines.idle
        if now < by { return armFor(by) }
        fail(
            UpstreamError(
                .idleTimeout,
                "\(pool.endpoint.host) sent nothing for \(Int(deadlines.idle.milliseconds)) ms within its response"))
    }
}
