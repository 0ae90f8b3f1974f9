internal import COpenSSL
internal import Glibc
internal import Synchronization

/// Sessions to resume upstream connections from, a few for each host and port. Shared by all worker threads; the lock
/// is held for a dictionary access, twice a handshake.
@safe final class SessionCache: Sendable {
    /// Endpoints remembered; over this an arbitrary one is forgotten.
    static let endpointsMax = 1024
    /// Older sessions are not used, whatever the ticket allows: the certificate was checked when the session began.
    static let ageMaxSeconds = 3600
    static let keptPerEndpointMax = 16

    /// The session was verified for this host, so it is offered to this host only.
    struct Key: Hashable {
        let host: String
        let port: UInt16
    }

    /// An SSL_SESSION that nobody else has.
    @safe struct Session: ~Copyable, @unchecked Sendable {
        let raw: OpaquePointer

        /// A copy, because OpenSSL writes to the sessions of its connections without a lock.
        @unsafe init?(copying session: OpaquePointer) {
            guard let copy = unsafe SSL_SESSION_dup(session) else { return nil }
            unsafe raw = copy
        }

        deinit { unsafe SSL_SESSION_free(raw) }

        func copy() -> Session? { unsafe Session(copying: raw) }

        var isFresh: Bool { unsafe time(nil) - Int(SSL_SESSION_get_time(raw)) < SessionCache.ageMaxSeconds }
        /// A TLS 1.3 ticket should be used once, lest connections be linked (RFC 8446 §C.4).
        var shouldBeUsedOnce: Bool { unsafe SSL_SESSION_get_protocol_version(raw) >= TLS1_3_VERSION }
    }

    private final class Entry: Sendable {
        let session: Session
        init(_ session: consuming Session) { self.session = session }
    }

    private let keptPerEndpoint: Int
    private let entries = Mutex<[Key: [Entry]]>([:])

    init(keptPerEndpoint: Int) { self.keptPerEndpoint = min(max(keptPerEndpoint, 0), Self.keptPerEndpointMax) }

    /// Keeps a copy of a session that a connection to `key` was given.
    @unsafe func add(_ session: OpaquePointer, for key: Key) {
        guard keptPerEndpoint > 0, unsafe SSL_SESSION_is_resumable(session) == 1 else { return }
        guard let copy = unsafe Session(copying: session) else { return OpenSSLErrorQueue.clear() }
        let entry = Entry(copy)
        entries.withLock { entries in
            if entries[key] == nil, entries.count >= Self.endpointsMax, let other = entries.keys.first {
                entries[other] = nil
            }
            var kept = entries[key] ?? []
            if kept.count >= keptPerEndpoint { kept.removeFirst() }
            kept.append(entry)
            entries[key] = kept
        }
    }

    /// Makes `ssl`, before its handshake, offer the newest session for `key`, if there is one.
    @unsafe func offer(for key: Key, on ssl: OpaquePointer) {
        guard keptPerEndpoint > 0, let entry = newest(for: key) else { return }
        // The last session stays in the cache and a second thread may take it: each connection gets its own copy.
        guard let copy = entry.session.copy() else { return OpenSSLErrorQueue.clear() }
        _ = unsafe SSL_set_session(ssl, copy.raw)
    }

    /// Forgets the sessions for an endpoint whose certificate was refused or which rejected ours.
    func forget(_ key: Key) {
        entries.withLock { $0[key] = nil }
    }

    /// A TLS 1.3 session leaves the cache when there are others; the last one stays, for connections opened at once.
    private func newest(for key: Key) -> Entry? {
        entries.withLock { entries in
            guard var kept = entries[key] else { return nil }
            kept.removeAll { !$0.session.isFresh }
            let newest = kept.last
            if kept.count > 1, let newest, newest.session.shouldBeUsedOnce { kept.removeLast() }
            entries[key] = kept.isEmpty ? nil : kept
            return newest
        }
    }
}
