package import SluiceCore
internal import Synchronization

/// Seals secrets so that they may be stored: AES-256-GCM under data keys that master keys wrap.
///
/// What was sealed for one purpose does not open for another, so that whoever can write where sealed values are kept cannot
/// move one to a place that shows it or sends it elsewhere. A vault outlives configurations: `adopt` changes its keys.
package final class SecretVault: Sendable {
    /// What every sealed text begins with.
    package static let prefix = "sealed:v1:"
    /// How many bytes are sealed at most, and how many as text.
    package static let byteCountMax = 1 << 30
    package static let textByteCountMax = SealedText.byteCountMax / 2
    /// How much longer a sealed value is than its text, in bytes: version, key's name, wrapped data key, nonce, tag.
    package static let overhead = 1 + SecretKeyID.byteCount + sealedByteCountMin
    private static let version: UInt8 = 1
    private static let sealedByteCountMin =
        DataKey.wrappedByteCount + AuthenticatedCipher.nonceByteCount + AuthenticatedCipher.tagByteCount

    private struct State {
        var master: MasterKeys
        /// Made when something is first sealed.
        var dataKey: DataKey?
    }

    private let state: Mutex<State>

    package init(_ keys: MasterKeys = .none) { state = Mutex(State(master: keys)) }

    /// The name of the key that seals; `nil` if there is none.
    package var currentKeyID: SecretKeyID? { state.withLock { $0.master.currentID } }
    /// Of every key that opens, the current one first.
    package var keyIDs: [SecretKeyID] { state.withLock { $0.master.ids } }
    package var hasKey: Bool { currentKeyID != nil }

    /// Seals with other keys from now on. What a key sealed that is no longer there does not open any more.
    package func adopt(_ keys: MasterKeys) {
        state.withLock { state in
            if keys == state.master { return }
            if keys.currentID != state.master.currentID { state.dataKey = nil }
            state.master = keys
        }
    }

    // MARK: Bytes

    /// Appends the sealed bytes: for a column of a database or a value in Redis.
    ///
    /// - Parameter purpose: what it is and where it belongs, as `records.body`; the same to open it again.
    package func seal(_ bytes: Span<UInt8>, purpose: String, into buffer: ByteBuffer) throws(SecretError) {
        if bytes.count > Self.byteCountMax { throw .tooLong(byteCountMax: Self.byteCountMax) }
        let (key, use) = try claim()
        buffer.reserve(bytes.count + Self.overhead)
        buffer.append(Self.version)
        key.masterID.append(to: buffer)
        key.seal(bytes, use: use, context: Self.context(purpose).span, into: buffer)
    }

    /// Appends what was sealed; on an error nothing is appended.
    package func open(_ sealed: Span<UInt8>, purpose: String, into buffer: ByteBuffer) throws(SecretError) {
        guard let id = Self.keyID(ofBytes: sealed) else { throw .malformed }
        try open(sealed.extracting(1 + SecretKeyID.byteCount..<sealed.count), id, purpose, into: buffer)
    }

    /// The name of the key that sealed these bytes; `nil` if they are not sealed.
    package static func keyID(ofBytes sealed: Span<UInt8>) -> SecretKeyID? {
        guard sealed.count >= overhead, sealed[0] == version else { return nil }
        return SecretKeyID(bytes: sealed.extracting(1..<1 + SecretKeyID.byteCount))
    }

    // MARK: Text

    /// A sealed text, `sealed:v1:KEY:…`: for a configuration file or a document.
    package func seal(_ secret: Secret, purpose: String) throws(SecretError) -> String {
        if secret.byteCount > Self.textByteCountMax { throw .tooLong(byteCountMax: Self.textByteCountMax) }
        let (key, use) = try claim()
        let buffer = ByteBuffer(capacity: secret.byteCount + Self.overhead)
        secret.withExposed { key.seal($0, use: use, context: Self.context(purpose).span, into: buffer) }
        return SealedText.write(key.masterID, buffer.span)
    }

    package func open(_ text: String, purpose: String) throws(SecretError) -> Secret {
        try open(text: text.utf8Span.span, purpose: purpose)
    }

    package func open(text: Span<UInt8>, purpose: String) throws(SecretError) -> Secret {
        guard let sealed = SealedText(text) else { throw .malformed }
        let buffer = ByteBuffer(capacity: sealed.bytes.count + 16)
        defer { buffer.wipe() }
        try open(sealed.bytes.span, sealed.keyID, purpose, into: buffer)
        return Secret(buffer.span)
    }

    /// Whether this is meant to be a sealed text, well-formed or not.
    package static func isSealed(_ text: Span<UInt8>) -> Bool {
        text.count >= prefix.utf8.count && text.extracting(first: prefix.utf8.count).equals("sealed:v1:")
    }

    package static func isSealed(_ text: String) -> Bool { isSealed(text.utf8Span.span) }

    /// The name of the key that sealed this text; `nil` if it is not a well-formed sealed text.
    package static func keyID(ofText text: String) -> SecretKeyID? { SealedText(text.utf8Span.span)?.keyID }

    // MARK: Rotation

    /// The same secret under the current key; `nil` if that is what has sealed it.
    package func resealed(_ text: String, purpose: String) throws(SecretError) -> String? {
        let secret = try open(text, purpose: purpose)
        if Self.keyID(ofText: text) == currentKeyID { return nil }
        return try seal(secret, purpose: purpose)
    }

    /// Appends the same bytes, sealed with the current key.
    ///
    /// - Returns: `false`, with nothing appended, if that is what has sealed them.
    package func reseal(_ sealed: Span<UInt8>, purpose: String, into buffer: ByteBuffer) throws(SecretError) -> Bool {
        guard let id = Self.keyID(ofBytes: sealed) else { throw .malformed }
        if id == currentKeyID { return false }
        let open = ByteBuffer(capacity: sealed.count)
        defer { open.wipe() }
        try self.open(sealed, purpose: purpose, into: open)
        try seal(open.span, purpose: purpose, into: buffer)
        return true
    }

    // MARK: Both forms

    /// A data key, and which of its uses this one is.
    private func claim() throws(SecretError) -> (DataKey, use: Int) {
        while true {
            guard let key = dataKey() else { throw .noKey }
            if let use = key.claim() { return (key, use) }
            retire(key)
        }
    }

    private func dataKey() -> DataKey? {
        state.withLock { state in
            if let key = state.dataKey { return key }
            guard let master = state.master.keys.first else { return nil }
            let key = DataKey(under: master)
            state.dataKey = key
            return key
        }
    }

    private func retire(_ key: DataKey) {
        state.withLock { if $0.dataKey === key { $0.dataKey = nil } }
    }

    private func open(
        _ sealed: Span<UInt8>, _ id: SecretKeyID, _ purpose: String, into buffer: ByteBuffer
    ) throws(SecretError) {
        let keys = state.withLock { $0.master }
        guard let master = keys.key(id) else { throw keys.ids.isEmpty ? .noKey : .unknownKey(id, known: keys.ids) }
        guard sealed.count >= Self.sealedByteCountMin else { throw .malformed }
        let nonceStart = DataKey.wrappedByteCount
        let textStart = nonceStart + AuthenticatedCipher.nonceByteCount
        guard let cipher = DataKey.unwrap(sealed.extracting(0..<nonceStart), under: master),
            cipher.open(
                sealed.extracting(textStart..<sealed.count), nonce: sealed.extracting(nonceStart..<textStart),
                context: Self.context(purpose).span, into: buffer)
        else { throw .doesNotOpen(id) }
    }

    private static func context(_ purpose: String) -> ByteBuffer {
        let buffer = ByteBuffer("sluice sealed v1:")
        buffer.append(purpose)
        return buffer
    }
}
