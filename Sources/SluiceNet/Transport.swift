internal import CLinux
package import SluiceCore
package import SluiceTLS

/// What a transport tells its owner. All calls come from the loop; any of them may close the transport.
package protocol TransportDelegate: AnyObject {
    /// The TLS handshake is done: `applicationProtocol` and `peerCertificate` are known.
    func transportSecured()
    /// Bytes arrived. They are gone after the call: copy what is to be kept.
    func transportReceived(_ bytes: Span<UInt8>)
    /// The bytes asked for by `receive(into:exactly:)` are all there.
    func transportFilled()
    /// The peer sends no more. What was received before is complete unless `transportFailed` says otherwise.
    func transportEnded()
    /// The connection broke. Called once, and last.
    func transportFailed(_ error: TransportError)
    /// What was to be sent has shrunk below the low watermark, after having been above the high one.
    func transportDrained()
    /// Everything has been sent and the transport has closed itself, as `closeAfterSending` asked. Called once, and last.
    func transportClosed()
}

extension TransportDelegate {
    package func transportSecured() {}
    package func transportFilled() {}
    package func transportClosed() {}
}

/// Why a connection is of no more use.
package enum TransportError: Error, Sendable {
    case system(SystemError)
    case tls(String)
    /// TLS ended without saying so: what was received may be cut.
    case truncated

    /// In words.
    package var text: String {
        switch self {
        case .system(let error): error.reason
        case .tls(let reason): reason
        case .truncated: "TLS ended without a close notification"
        }
    }
}

/// A connected stream socket, plain or TLS, with the bytes on their way out.
///
/// Edge-triggered: it reads until the system has nothing more and takes a short read for that; writes are gathered and sent
/// once at the end of the loop's turn. Both directions hold no memory while nothing is under way.
package final class Transport: EventHandler, Flushable {
    package let loop: EventLoop
    package let fd: Int32
    package private(set) var isOpen = true
    /// Without a delegate nothing is read: it waits in the system until there is one.
    ///
    /// Held until the transport has closed, as the loop holds the transport: whoever owns a connection closes it.
    package var delegate: (any TransportDelegate)? {
        didSet { if delegate != nil, isReadable || hasPeerEnded { readAgainLater() } }
    }
    /// Whether what was not read yet is given up as soon as the peer has gone. Right for an application, which is not there any
    /// more to be answered; wrong for a provider, whose last bytes may be the answer.
    package var dropsUnreadAtEnd = false
    private var registration: Registration
    private let outbound: ByteQueue
    private var tls: TLSSession?
    private var isDirty = false
    private var isBlocked = false
    private var isReadable = false
    private var hasPeerEnded = false
    private var isPaused = false
    private var isResumeAsked = false
    private var closesWhenSent = false
    private var endsWhenSent = false
    private var isAboveHigh = false
    /// Why nothing more can be sent, while what was received before is still read.
    private var sendError: SystemError?
    private var target: ByteBuffer?
    private var targetRemaining = 0
    /// When bytes last came in or went out.
    package private(set) var lastProgress: Instant
    /// Bytes received and sent on the socket.
    package private(set) var receivedByteCount = 0
    package private(set) var sentByteCount = 0

    /// Above so many unsent bytes `isCongested` is true, and the source is to stop.
    package var highWatermark = 65_536
    /// Ciphertext is not shared as plaintext is: no more of it is made than the socket takes at once, about.
    private static let encryptedAtMost = 65_536
    /// How many full reads one turn gives to one connection, so that a fast one does not starve the others.
    private static let readsAtMost = 4

    /// Takes over a connected descriptor.
    package init(loop: EventLoop, fd: Int32) throws(SystemError) {
        self.loop = loop
        self.fd = fd
        outbound = ByteQueue(pool: loop.buffers)
        lastProgress = loop.now
        registration = Registration(slot: 0, generation: 0)
        do throws(SystemError) {
            registration = try loop.register(fd, self)
        } catch {
            isOpen = false
            throw error
        }
    }

    /// Takes over a connected descriptor that the loop watches already.
    ///
    /// - Parameter readiness: what was told before, which is not told again.
    init(loop: EventLoop, fd: Int32, registration: Registration, readiness: Readiness) {
        self.loop = loop
        self.fd = fd
        outbound = ByteQueue(pool: loop.buffers)
        self.registration = registration
        isReadable = readiness.isReadable
        hasPeerEnded = readiness.hasEnded
        lastProgress = loop.now
        loop.replaceHandler(of: registration, with: self)
    }

    deinit { assert(!isOpen, "a transport was dropped without being closed") }

    // MARK: Sending

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

    private func markDirty() {
        if outbound.count >= highWatermark { isAboveHigh = true }
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
                return tellIfDrained()
            case .failed(let error):
                return stoppedSending(error)
            }
        }
        if !isOpen { return }
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

    // MARK: Receiving

    /// Lets the next bytes go straight into `buffer`, until so many have come.
    package func receive(into buffer: ByteBuffer, exactly byteCount: Int) {
        target = buffer
        targetRemaining = byteCount
        buffer.reserve(byteCount)
    }

    /// Forgets the buffer given to `receive(into:exactly:)`.
    package func stopReceivingInPlace() {
        target = nil
        targetRemaining = 0
    }

    /// Whether bytes have arrived that nobody was given yet.
    package var hasUnread: Bool { isOpen && Socket.hasUnread(fd) }

    /// Stops reading: back-pressure on the peer. That the peer went away is still told if `dropsUnreadAtEnd`.
    package func pauseReading() { isPaused = true }

    package func resumeReading() {
        if !isPaused { return }
        isPaused = false
        if isReadable || hasPeerEnded { readAgainLater() }
    }

    private func readAgainLater() {
        if isResumeAsked { return }
        isResumeAsked = true
        loop.resumeLater(self)
    }

    package func ready(_ readiness: Readiness) {
        // It may have been closed since it asked to be called again, and its owner may be gone.
        if !isOpen { return }
        if readiness.bits == 0 { isResumeAsked = false }
        if readiness.isReadable { isReadable = true }
        if readiness.hasEnded { hasPeerEnded = true }
        if delegate == nil {
            // Nobody to give it to yet.
        } else if isPaused {
            if dropsUnreadAtEnd, readiness.isBroken { return fail(.system(SystemError("recv", code: ECONNRESET))) }
            if dropsUnreadAtEnd, readiness.hasEnded { delegate?.transportEnded() }
        } else if isReadable || hasPeerEnded, !isResumeAsked {
            read()
        }
        if isOpen, readiness.isWritable, isBlocked, sendError == nil {
            isBlocked = false
            flush()
        }
    }

    private func read() {
        for _ in 0..<Self.readsAtMost {
            if !isOpen || isPaused || !(isReadable || hasPeerEnded) { return }
            let isDrained = target == nil || tls != nil ? readIntoScratch() : readIntoTarget()
            if isDrained { return }
        }
        if isOpen, !isPaused { readAgainLater() }
    }

    private func readIntoScratch() -> Bool {
        let space = unsafe loop.scratch
        switch unsafe Socket.read(fd, space) {
        case .bytes(let count):
            let isDrained = note(read: count, of: space.count)
            let bytes = unsafe UnsafeBufferPointer(rebasing: space.assumingMemoryBound(to: UInt8.self)[..<count])
            if let tls {
                unsafe decrypt(bytes.span, with: tls)
            } else {
                delegate?.transportReceived(bytes.span)
            }
            return isDrained
        case let other:
            return stopped(other)
        }
    }

    // MARK: TLS

    /// Speaks TLS from here on. What is written before the handshake is done waits for it.
    package func startTLS(_ session: TLSSession) {
        tls = session
        if !session.outbound.isEmpty { markDirty() }
    }

    package var isTLS: Bool { tls != nil }
    /// What ALPN agreed on; `none` without TLS or without ALPN.
    package var applicationProtocol: ApplicationProtocol { tls?.negotiated?.applicationProtocol ?? .none }
    /// The verified certificate of the peer.
    package var peerCertificate: CertificateSummary? { tls?.peerCertificate }

    private func decrypt(_ ciphertext: Span<UInt8>, with tls: TLSSession) {
        let space = unsafe loop.plaintext
        do throws(TLSError) {
            var progress = try unsafe tls.receive(ciphertext, into: space)
            if !tls.outbound.isEmpty { markDirty() }
            while true {
                if progress.completedHandshake {
                    if !outbound.isEmpty { markDirty() }
                    delegate?.transportSecured()
                }
                if isOpen, progress.plaintextByteCount > 0 {
                    let bytes = unsafe UnsafeBufferPointer(
                        rebasing: space.assumingMemoryBound(to: UInt8.self)[..<progress.plaintextByteCount])
                    unsafe give(bytes.span)
                }
                if !isOpen { return }
                switch progress.next {
                case .needsInput: return
                case .ended: delegate?.transportEnded(); return
                case .hasMore: progress = try unsafe tls.receive(Span(), into: space)
                }
            }
        } catch {
            flush()
            fail(.tls(error.message))
        }
    }

    /// Plaintext goes where plain bytes would have gone.
    private func give(_ bytes: Span<UInt8>) {
        guard let target else { delegate?.transportReceived(bytes); return }
        let part = min(targetRemaining, bytes.count)
        target.append(bytes.extracting(0..<part))
        targetRemaining -= part
        if targetRemaining > 0 { return }
        self.target = nil
        delegate?.transportFilled()
        if part < bytes.count, isOpen { delegate?.transportReceived(bytes.extracting(part...)) }
    }

    private func readIntoTarget() -> Bool {
        guard let buffer = target else { return true }
        var result = Socket.ReadResult.wouldBlock
        let wanted = targetRemaining
        unsafe buffer.appendUnsafe(minimum: wanted) { space in
            unsafe result = Socket.read(fd, UnsafeMutableRawBufferPointer(rebasing: space[..<wanted]))
            if case .bytes(let count) = result { return count }
            return 0
        }
        guard case .bytes(let count) = result else { return stopped(result) }
        let isDrained = note(read: count, of: wanted)
        targetRemaining -= count
        if targetRemaining == 0 {
            target = nil
            delegate?.transportFilled()
        }
        return isDrained
    }

    /// Notes progress; a short read means that the system has no more, unless the peer has ended.
    private func note(read count: Int, of space: Int) -> Bool {
        receivedByteCount += count
        lastProgress = loop.now
        if count < space { isReadable = false }
        return !isReadable && !hasPeerEnded
    }

    private func stopped(_ result: Socket.ReadResult) -> Bool {
        isReadable = false
        switch result {
        case .bytes, .wouldBlock: if let sendError { fail(.system(sendError)) }
        case .end:
            hasPeerEnded = false
            do throws(TLSError) {
                try tls?.receiveEnd()
                if tls?.hasEnded != true { delegate?.transportEnded() }
            } catch {
                fail(error.kind == .truncated ? .truncated : .tls(error.message))
            }
        case .failed(let error): fail(.system(error))
        }
        return true
    }

    // MARK: Closing

    /// Closes once everything queued has been sent; then the delegate is told that the connection has ended.
    package func closeAfterSending() {
        if !isOpen { return }
        closesWhenSent = true
        finishSending()
    }

    /// Sends what is queued and then the end of our side; what the peer sends is still received.
    package func endSending() {
        if !isOpen { return }
        endsWhenSent = true
        finishSending()
    }

    private func finishSending() { if !isBlocked { markDirty() } }

    package func close() {
        if !isOpen { return }
        isOpen = false
        loop.forget(registration)
        Socket.close(fd)
        release()
    }

    /// Closes so that the peer sees an error and not an orderly end.
    package func abort() {
        if isOpen { Socket.resetOnClose(fd) }
        close()
    }

    private func fail(_ error: TransportError) {
        if !isOpen { return }
        isOpen = false
        loop.forget(registration)
        delegate?.transportFailed(error)
        // Only now: the owner may want to ask the system what became of its bytes.
        Socket.close(fd)
        release()
    }

    private func release() {
        delegate = nil
        outbound.removeAll()
        target = nil
        tls = nil
    }
}
