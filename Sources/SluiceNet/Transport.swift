internal import CLinux
package import SluiceCore

/// What a transport tells its owner. All calls come from the loop; any of them may close the transport.
package protocol TransportDelegate: AnyObject {
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
}

/// Why a connection is of no more use.
package enum TransportError: Error, Sendable {
    case system(SystemError)
    case tls(String)
    /// TLS ended without saying so: what was received may be cut.
    case truncated
}

/// A connected stream socket, plain or TLS, with the bytes on their way out.
///
/// Edge-triggered: it reads until the system has nothing more and takes a short read for that; writes are gathered and sent
/// once at the end of the loop's turn. Both directions hold no memory while nothing is under way.
package final class Transport: EventHandler, Flushable {
    package let loop: EventLoop
    package let fd: Int32
    package private(set) var isOpen = true
    package unowned(unsafe) var delegate: (any TransportDelegate)?
    private var registration: Registration
    private let outbound = ByteQueue()
    private var isDirty = false
    private var isBlocked = false
    private var isReadable = false
    private var hasPeerEnded = false
    private var isPaused = false
    private var isResumeAsked = false
    private var closesWhenSent = false
    private var isAboveHigh = false
    private var target: ByteBuffer?
    private var targetRemaining = 0
    /// When bytes last came in or went out.
    package private(set) var lastProgress: Instant
    /// Bytes received and sent on the socket.
    package private(set) var receivedByteCount = 0
    package private(set) var sentByteCount = 0

    /// Above so many unsent bytes `isCongested` is true, and the source is to stop.
    package var highWatermark = 65_536
    /// How many full reads one turn gives to one connection, so that a fast one does not starve the others.
    private static let readsAtMost = 4

    /// Takes over a connected descriptor.
    package init(loop: EventLoop, fd: Int32) throws(SystemError) {
        self.loop = loop
        self.fd = fd
        lastProgress = loop.now
        registration = Registration(slot: 0, generation: 0)
        registration = try loop.register(fd, self)
    }

    /// Takes over a connected descriptor that the loop watches already.
    package init(loop: EventLoop, fd: Int32, registration: Registration) {
        self.loop = loop
        self.fd = fd
        self.registration = registration
        lastProgress = loop.now
        loop.replaceHandler(of: registration, with: self)
    }

    deinit { assert(!isOpen, "a transport was dropped without being closed") }

    // MARK: Sending

    /// How many bytes wait to be sent.
    package var pendingByteCount: Int { outbound.count }
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
        while isOpen, !outbound.isEmpty {
            switch Socket.write(fd, from: outbound) {
            case .bytes(let count):
                outbound.consume(count)
                sentByteCount += count
                lastProgress = loop.now
            case .wouldBlock:
                isBlocked = true
                return tellIfDrained()
            case .failed(let error):
                return fail(.system(error))
            }
        }
        if closesWhenSent { return close() }
        tellIfDrained()
    }

    private func tellIfDrained() {
        guard isOpen, isAboveHigh, outbound.count <= highWatermark / 2 else { return }
        isAboveHigh = false
        unsafe delegate?.transportDrained()
    }

    // MARK: Receiving

    /// Lets the next bytes go straight into `buffer`, until so many have come.
    package func receive(into buffer: ByteBuffer, exactly byteCount: Int) {
        target = buffer
        targetRemaining = byteCount
        buffer.reserve(byteCount)
    }

    /// Stops reading: back-pressure on the peer. That the peer went away is still told.
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
        if readiness.bits == 0 { isResumeAsked = false }
        if readiness.isReadable { isReadable = true }
        if readiness.hasEnded { hasPeerEnded = true }
        if isPaused {
            if readiness.isBroken { return fail(.system(SystemError("recv", code: ECONNRESET))) }
            if readiness.hasEnded { unsafe delegate?.transportEnded() }
        } else if isReadable || hasPeerEnded {
            read()
        }
        if isOpen, readiness.isWritable, isBlocked {
            isBlocked = false
            flush()
        }
    }

    private func read() {
        for _ in 0..<Self.readsAtMost {
            if !isOpen || isPaused || !(isReadable || hasPeerEnded) { return }
            let isDrained = target == nil ? readIntoScratch() : readIntoTarget()
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
            unsafe delegate?.transportReceived(bytes.span)
            return isDrained
        case let other:
            return stopped(other)
        }
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
            unsafe delegate?.transportFilled()
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
        case .bytes, .wouldBlock: break
        case .end:
            hasPeerEnded = false
            unsafe delegate?.transportEnded()
        case .failed(let error): fail(.system(error))
        }
        return true
    }

    // MARK: Closing

    /// Closes once everything queued has been sent.
    package func closeAfterSending() {
        closesWhenSent = true
        if outbound.isEmpty { close() } else if !isBlocked { markDirty() }
    }

    package func close() {
        if !isOpen { return }
        isOpen = false
        loop.forget(registration)
        Socket.close(fd)
        outbound.removeAll()
        target = nil
    }

    /// Closes so that the peer sees an error and not an orderly end.
    package func abort() {
        if isOpen { Socket.resetOnClose(fd) }
        close()
    }

    private func fail(_ error: TransportError) {
        if !isOpen { return }
        close()
        unsafe delegate?.transportFailed(error)
    }
}
