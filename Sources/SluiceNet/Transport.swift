package import SluiceCore
internal import SluiceTLS

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
    let outbound: ByteQueue
    var tls: TLSSession?
    var isDirty = false
    var isBlocked = false
    var isReadable = false
    var hasPeerEnded = false
    var isPaused = false
    var isResumeAsked = false
    var closesWhenSent = false
    var endsWhenSent = false
    var isAboveHigh = false
    /// Why nothing more can be sent, while what was received before is still read.
    var sendError: SystemError?
    /// Of what waits, what `BufferedBytes` has.
    var countedByteCount = 0
    var target: ByteBuffer?
    var targetRemaining = 0
    /// When bytes last came in or went out.
    package internal(set) var lastProgress: Instant
    /// Bytes received and sent on the socket.
    package internal(set) var receivedByteCount = 0
    package internal(set) var sentByteCount = 0

    /// Above so many unsent bytes `isCongested` is true, and the source is to stop.
    package var highWatermark = 65_536

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

    /// Ends it with an error, which the delegate is told last.
    func fail(_ error: TransportError) {
        if !isOpen { return }
        isOpen = false
        loop.forget(registration)
        delegate?.transportFailed(error)
        // Only now: the owner may want to ask the system what became of its bytes.
        Socket.close(fd)
        release()
    }

    private func release() {
        countBuffered()
        delegate = nil
        outbound.removeAll()
        target = nil
        tls = nil
    }
}
