internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

extension DownstreamHTTP1: TransportDelegate {
    func transportReceived(_ bytes: Span<UInt8>) {
        if case .lingering = state {
            lingeredByteCount += bytes.count
            if lingeredByteCount > Self.lingerByteCountMax { close() }
            return
        }
        if let pending {
            pending.append(bytes)
            return processPending()
        }
        let taken = process(bytes)
        if taken < bytes.count, !isClosed { keep(ByteBuffer(copying: bytes.extracting(taken...))) }
    }

    func transportFilled() {
        isReceivingInPlace = false
        exchange?.bodyReceivedInPlace(byteCount: inPlaceByteCount)
        isBodyDone = true
        exchange?.bodyEnded()
    }

    func transportEnded() {
        switch state {
        case .waiting, .lingering: close()
        case .serving, .upgraded:
            // One that has closed its side alone looks like one that has gone, and RFC 9112 §9.6 lets a server choose. To take
            // it for gone ends the provider's work, and its cost, at once when an application gives up.
            close()
        case .closed: break
        }
    }

    func transportFailed(_ error: TransportError) { close() }

    func transportDrained() {
        if case .waiting = state { return goOn() }
        exchange?.downstreamDrained()
    }

    func transportClosed() { close() }
}

extension DownstreamHTTP1: TimerTarget {
    func timerFired(_ timer: LoopTimer) {
        let now = registry.loop.now
        switch state {
        case .waiting where pending == nil || isHeldUp:
            let by = transport.lastProgress + registry.configuration.stall
            if transport.pendingByteCount == 0 || now >= by { return close() }
            registry.loop.arm(timer, at: by)
        case .waiting:
            refuse(408, "The request's header fields did not arrive in time.")
        case .lingering:
            // What is still to be sent has the time that any response has.
            let by = transport.lastProgress + registry.configuration.stall
            if transport.pendingByteCount == 0 || now >= by { return close() }
            registry.loop.arm(timer, at: min(by, now + Self.lingerTime))
        case .serving where !isBodyDone:
            let by = min(bodyBy, bodyProgress + registry.configuration.bodyStall)
            if now < by { return registry.loop.arm(timer, at: by) }
            keepsAlive = false
            exchange?.bodyFailed(.bodyTimeout)
        case .serving, .upgraded:
            if transport.pendingByteCount == 0 { return }
            let by = transport.lastProgress + registry.configuration.stall
            if now < by { return registry.loop.arm(timer, at: by) }
            exchange?.abandoned(.stalled)
            close()
        case .closed: break
        }
    }

    /// When the application last sent of its body, or could not have.
    private var bodyProgress: Instant {
        isBodyPaused ? registry.loop.now : max(transport.lastProgress, bodyResumedAt)
    }
}
