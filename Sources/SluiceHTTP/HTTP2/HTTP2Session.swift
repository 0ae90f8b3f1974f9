internal import CNghttp2
package import SluiceCore

/// One HTTP/2 connection (RFC 9113), without a socket: bytes in, bytes out, and a delegate that hears of the streams.
///
/// Confined to one event loop. It reads no clock: `receive` is told the time. After each `receive`, whether it threw
/// or not, `flush` and write; then close if `isFinished`. While the peer does not read what was written, do not read
/// from it either.
///
/// When the connection ends, for whatever reason, `connectionLost` closes the streams that are left.
///
/// - The library (nghttp2) keeps the protocol; what is malformed resets its stream and no other.
/// - The receive windows open only as the delegate has `consumed` what it was given.
/// - `AbuseBudget` cuts connections that cost more than they use.
@safe package final class HTTP2Session {
    package enum Role: Sendable { case server, client }

    package let role: Role
    package let limits: HTTP2Limits
    /// Why the connection cannot go on, once it cannot. Set by `receive`, or by `flush` when a GOAWAY of ours leaves.
    package internal(set) var failure: HTTP2Error?
    /// The peer sent GOAWAY: it takes no new streams.
    package internal(set) var isPeerGoingAway = false
    package private(set) var isDraining = false

    let library: NGHTTP2Handle
    var streams = StreamTable()
    var inbound = InboundHead()
    var budget: AbuseBudget
    var now = Instant(nanoseconds: 0)
    /// Who hears of events; only during `receive` and `flush`, as is `outgoing`.
    var delegate: (any HTTP2SessionDelegate)?
    var outgoing: ByteQueue?
    var outgoingLimit = 0
    var continuationCount = 0
    /// When the header block began that has not come to its end; `nil` if there is none.
    package internal(set) var headBeganAt: Instant?
    var hasPeerSettings = false
    var queuedBeforeSettings = 0
    /// The number above every stream that the peer has opened, and the last run of numbers that it skipped.
    var nextPeerNumber: Int32 = 1
    var skippedNumbers: Range<Int32> = 0..<0
    var outstandingPings = 0
    private var isFinalGoAwaySubmitted = false
    /// During `receive` and `flush`.
    private var isInside = false
    /// The library gave up: what it would still send is not to be trusted.
    private var isBroken = false

    /// What our own PING after a shutdown notice carries: its answer says that the notice has arrived.
    static let drainPing: UInt64 = 0x736c_7569_6365_0001

    package init(role: Role, limits: HTTP2Limits = HTTP2Limits()) throws(HTTP2Error) {
        self.role = role
        self.limits = limits
        budget = AbuseBudget(limits: limits)
        library = try NGHTTP2Handle(role: role, limits: limits)
        library.setOwner(self)
        let result = library.submitSettings(role: role, limits: limits)
        if result != 0 { throw .library(result) }
    }

    // MARK: Bytes

    /// Takes what the peer sent, cut anywhere, and tells the delegate.
    ///
    /// - Parameter now: the time; budgets are kept by it.
    /// - Throws: the connection is over: `flush`, write and close. Nothing is taken after that.
    package func receive(
        _ bytes: Span<UInt8>, at now: Instant, for delegate: any HTTP2SessionDelegate
    ) throws(HTTP2Error) {
        precondition(!isInside, "received from inside a delegate's method")
        if failure != nil { return }
        self.now = now
        enter(delegate)
        let result = library.receive(bytes)
        leave(delegate)
        if failure == nil {
            if result < 0 {
                failure = Self.error(forLibrary: result)
            } else if library.queuedFrameCount > limits.queuedFrameCount + 4 * streams.openCount {
                failure = .tooManyQueuedFrames
            }
        }
        guard let failure else { return }
        library.terminate(failure.code)
        throw failure
    }

    /// Appends pending frames, of all streams in turn, until the queue holds `byteCount` bytes or nothing is pending.
    package func flush(into queue: ByteQueue, upTo byteCount: Int, for delegate: any HTTP2SessionDelegate) {
        if isInside || isBroken { return }
        enter(delegate)
        outgoing = queue
        outgoingLimit = byteCount
        while queue.count < byteCount {
            let written = library.serialise(to: queue)
            if written > 0 { continue }
            if written < 0 { giveUp(Self.error(forLibrary: written)) }
            break
        }
        outgoing = nil
        leave(delegate)
    }

    private func enter(_ delegate: any HTTP2SessionDelegate) {
        isInside = true
        self.delegate = delegate
    }

    private func leave(_ delegate: any HTTP2SessionDelegate) {
        isInside = false
        self.delegate = nil
        if failure == .connectionLost { closeAll(for: delegate) }
    }

    private func giveUp(_ error: HTTP2Error) {
        isBroken = true
        if failure == nil { failure = error }
    }

    private static func error(forLibrary code: Int) -> HTTP2Error {
        switch Int32(truncatingIfNeeded: code) {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: .notHTTP2
        case NGHTTP2_ERR_FLOODED.rawValue: .tooManyQueuedFrames
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue: .tooManyContinuations
        case NGHTTP2_ERR_NOMEM.rawValue: .outOfMemory
        case let other: .library(other)
        }
    }

    /// Whether `flush` would append something.
    package var wantsToSend: Bool { !isBroken && library.wantsToSend }

    /// Nothing more will be received or sent: close the connection.
    package var isFinished: Bool {
        if wantsToSend { return false }
        return failure != nil || !library.wantsToReceive
    }

    // MARK: Life

    /// Streams that have not closed.
    package var openStreamCount: Int { streams.openCount }

    /// Streams that the peer lets us have open at once; 100 until it has said so.
    package var peerConcurrentStreams: Int {
        hasPeerSettings ? Int(library.peerSetting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)) : 100
    }

    /// Client: whether `submitRequest` would be sent at once.
    package var canOpenStream: Bool {
        !isClosingDown && library.mayOpenStream && streams.openCount < peerConcurrentStreams
    }

    var isClosingDown: Bool { failure != nil || isDraining || isPeerGoingAway }

    /// Ends the connection once the open streams have ended.
    ///
    /// A server announces it first, with GOAWAY and the highest number, and a PING: when that is answered, or at a
    /// second call (set a timer), the real GOAWAY says which streams will be served (RFC 9113 §6.8). A client opens no
    /// more.
    package func drain() {
        if failure != nil { return }
        switch (role, isDraining) {
        case (.server, false):
            library.submitShutdownNotice()
            library.submitPing(Self.drainPing)
        case (.server, true): finishDraining()
        case (.client, false): library.submitGoAway()
        case (.client, true): break
        }
        isDraining = true
    }

    func finishDraining() {
        if isFinalGoAwaySubmitted { return }
        isFinalGoAwaySubmitted = true
        library.submitGoAway()
    }

    /// Asks the peer for a sign of life: the delegate hears `acknowledged`.
    package func ping(_ payload: UInt64) {
        outstandingPings += 1
        library.submitPing(payload)
    }

    /// The transport is gone, or is about to be closed: every stream that is still open is closed for the delegate,
    /// with `refusedStream` where nothing of it was serialised. From inside a delegate's method it takes effect after
    /// that.
    package func connectionLost(for delegate: any HTTP2SessionDelegate) {
        isBroken = true
        failure = .connectionLost
        self.delegate = nil
        if !isInside { closeAll(for: delegate) }
    }

    private func closeAll(for delegate: any HTTP2SessionDelegate) {
        for slot in streams.slots.indices where streams.slots[slot].number != 0 {
            let (stream, marks) = (streams.id(slot), streams.slots[slot].marks)
            streams.close(slot)
            if marks.contains(.isAnnounced) {
                let isUnsent = role == .client && !marks.contains(.headSent)
                delegate.closed(stream, isUnsent ? .refusedStream : .cancel)
            }
        }
    }
}
