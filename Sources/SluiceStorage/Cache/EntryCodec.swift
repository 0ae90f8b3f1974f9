package import SluiceCore
package import SluicePolicy
package import SluiceTLS

/// An entry as Redis holds it.
///
///     "SLC" version(1) sealed(1) [key id(8) nonce(12)]  content
///     content: form(1) flags(1) status(2) created(8) ttl(8) while-revalidate(8) if-error(8) has-content(1) [content(32)]
///              model scene tenant provider  field-count(1) {name value}  body
///
/// Numbers are big-endian, times in milliseconds (`created` since 1970); a text is its length in four bytes and its UTF-8. With a
/// cipher the content is sealed, in the context of the key's name and of what stands before it: an entry cannot be put in the place of
/// another one. With a vault in the cipher's place `sealed` is 2, and all after it is as the vault seals. Whatever is not as it should be reads as nothing.
package struct EntryCodec: Sendable {
    private let cipher: AuthenticatedCipher?
    /// What seals entries as long as it has a key, where no secret is given for that.
    private let vault: SecretVault?
    /// Tells which secret an entry was sealed with.
    private let cipherID: [UInt8]
    private static let version: UInt8 = 1
    private static let fieldsMax = 64
    private static let yearNanoseconds: Int64 = 31_536_000_000_000_000

    /// - Parameters:
    ///   - secret: what entries are encrypted with: a key is made of it.
    ///   - vault: encrypts them if there is no secret and it has a key.
    package init(secret: Secret?, vault: SecretVault? = nil) {
        self.vault = secret == nil ? vault : nil
        guard let secret else {
            cipher = nil
            cipherID = []
            return
        }
        let key = secret.withExposed { MAC.sha256(key: $0, message: "sluice cache entry".utf8Span.span) }
        cipher = AuthenticatedCipher(key: Secret(key.span))
        let id = secret.withExposed { MAC.sha256(key: $0, message: "sluice cache key id".utf8Span.span) }
        cipherID = (0..<8).map { id.span[$0] }
    }

    package var isEncrypting: Bool { cipher != nil || vault?.hasKey == true }

    private static let sealedByVault: UInt8 = 2
    /// An entry opens under its own name only.
    private static func purpose(_ key: CacheKey) -> String { "cache.entry/" + key.text }

    // MARK: Writing

    /// - Parameters:
    ///   - now: on the clock of `lifetime`.
    ///   - time: the same, in milliseconds since 1970.
    package func encode(_ entry: CacheEntry, for key: CacheKey, now: Instant, time: Int) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: byteCount(of: entry))
        encode(entry, for: key, now: now, time: time, into: buffer)
        return buffer
    }

    /// Whether `byteCount(of:)` is exact: a vault's keys may change in the moment in which it seals.
    package var knowsByteCount: Bool { vault == nil }

    /// How long an entry is as Redis holds it, without a vault.
    package func byteCount(of entry: CacheEntry) -> Int {
        var count = 5 + 1 + 1 + 2 + 4 * 8 + 1 + (entry.content == nil ? 0 : CacheKey.byteCount) + 1 + entry.body.count
        let labels = entry.labels
        count += 16 + labels.model.utf8.count + labels.scene.utf8.count
        count += labels.tenant.utf8.count + labels.provider.utf8.count
        for field in entry.fields.prefix(Self.fieldsMax) { count += 8 + field.name.utf8.count + field.value.utf8.count }
        if cipher == nil { return count }
        return count + cipherID.count + AuthenticatedCipher.nonceByteCount + AuthenticatedCipher.tagByteCount
    }

    /// The same to the end of a buffer that may have something else in it.
    package func encode(_ entry: CacheEntry, for key: CacheKey, now: Instant, time: Int, into buffer: ByteBuffer) {
        let start = buffer.count
        buffer.append("SLC" as StaticString)
        buffer.append(Self.version)
        if let vault, vault.hasKey {
            buffer.append(Self.sealedByVault)
            let content = ByteBuffer(capacity: entry.body.count + 256)
            Self.write(entry, now, time, to: content)
            // Should the key go in this moment, there is no entry: what was written so far reads as none.
            try? vault.seal(content.span, purpose: Self.purpose(key), into: buffer)
            return
        }
        buffer.append(cipher == nil ? 0 : 1)
        guard let cipher else {
            return Self.write(entry, now, time, to: buffer)
        }
        buffer.append(cipherID.span)
        let nonce = SecureRandom.bytes(AuthenticatedCipher.nonceByteCount)
        buffer.append(nonce.span)
        let content = ByteBuffer(capacity: entry.body.count + 256)
        Self.write(entry, now, time, to: content)
        let context = ByteBuffer(capacity: 96)
        key.append(to: context)
        context.append(buffer.span.extracting(start...))
        cipher.seal(content.span, nonce: nonce.span, context: context.span, into: buffer)
    }

    private static func write(_ entry: CacheEntry, _ now: Instant, _ time: Int, to buffer: ByteBuffer) {
        buffer.append(entry.form.rawValue)
        buffer.append(entry.isOnlyWhole ? 1 : 0)
        buffer.append(UInt8(truncatingIfNeeded: entry.status >> 8))
        buffer.append(UInt8(truncatingIfNeeded: entry.status))
        append(time - milliseconds(entry.lifetime.age(at: now)), to: buffer)
        append(milliseconds(entry.lifetime.ttl), to: buffer)
        append(milliseconds(entry.lifetime.staleWhileRevalidate), to: buffer)
        append(milliseconds(entry.lifetime.staleIfError), to: buffer)
        buffer.append(entry.content == nil ? 0 : 1)
        entry.content?.append(to: buffer)
        append(entry.labels.model, to: buffer)
        append(entry.labels.scene, to: buffer)
        append(entry.labels.tenant, to: buffer)
        append(entry.labels.provider, to: buffer)
        let fields = entry.fields.prefix(fieldsMax)
        buffer.append(UInt8(fields.count))
        for field in fields {
            append(field.name, to: buffer)
            append(field.value, to: buffer)
        }
        let body = entry.body
        buffer.append(body.span)
    }

    private static func milliseconds(_ duration: Duration) -> Int { Int(duration.nanoseconds / 1_000_000) }

    private static func append(_ number: Int, to buffer: ByteBuffer) {
        var bigEndian = number.bigEndian
        unsafe withUnsafeBytes(of: &bigEndian) { unsafe buffer.append($0) }
    }

    private static func append(_ text: String, to buffer: ByteBuffer) {
        var count = UInt32(truncatingIfNeeded: text.utf8.count).bigEndian
        unsafe withUnsafeBytes(of: &count) { unsafe buffer.append($0) }
        buffer.append(text)
    }

    // MARK: Reading

    /// - Returns: `nil` for what cannot be read: another version or secret, another entry's bytes, damage.
    package func decode(_ bytes: Span<UInt8>, for key: CacheKey, now: Instant, time: Int) -> (
        entry: CacheEntry, created: Int
    )? {
        guard bytes.count >= 5, bytes.extracting(0..<3).equals("SLC"), bytes[3] == Self.version else { return nil }
        if let vault, vault.hasKey {
            let content = ByteBuffer(capacity: bytes.count)
            guard bytes[4] == Self.sealedByVault,
                (try? vault.open(bytes.extracting(5..<bytes.count), purpose: Self.purpose(key), into: content)) != nil
            else { return nil }
            return Self.read(content.span, now, time)
        }
        if bytes[4] > 1 { return nil }
        let isSealed = bytes[4] == 1
        guard isSealed == (cipher != nil) else { return nil }
        guard let cipher else { return Self.read(bytes.extracting(5..<bytes.count), now, time) }
        let start = 5 + cipherID.count + AuthenticatedCipher.nonceByteCount
        guard bytes.count >= start else { return nil }
        for index in cipherID.indices where bytes[5 + index] != cipherID[index] { return nil }
        let context = ByteBuffer(capacity: 96)
        key.append(to: context)
        context.append(bytes.extracting(0..<start))
        let content = ByteBuffer(capacity: bytes.count - start + 16)
        guard
            cipher.open(
                bytes.extracting(start..<bytes.count), nonce: bytes.extracting(5 + cipherID.count..<start),
                context: context.span, into: content)
        else { return nil }
        return Self.read(content.span, now, time)
    }

    private static func read(_ bytes: Span<UInt8>, _ now: Instant, _ time: Int) -> (entry: CacheEntry, created: Int)? {
        var reader = Reader(bytes)
        guard let form = reader.byte().flatMap(CacheEntry.Form.init(rawValue:)), let flags = reader.byte(), flags <= 1,
            let high = reader.byte(), let low = reader.byte(), let created = reader.number(),
            let ttl = reader.duration(), let revalidate = reader.duration(), let ifError = reader.duration(),
            let hasContent = reader.byte(), hasContent <= 1
        else { return nil }
        var content: CacheKey?
        if hasContent == 1 {
            guard let key = reader.key() else { return nil }
            content = key
        }
        guard let model = reader.text(), let scene = reader.text(), let tenant = reader.text(),
            let provider = reader.text(), let fieldCount = reader.byte(), fieldCount <= fieldsMax
        else { return nil }
        var fields: [CacheEntry.Field] = []
        for _ in 0..<fieldCount {
            guard let name = reader.text(), let value = reader.text(), isField(name, value) else { return nil }
            fields.append(CacheEntry.Field(name: name, value: value))
        }
        let status = UInt16(high) << 8 | UInt16(low)
        guard 200..<600 ~= status else { return nil }
        // Clocks of two hosts differ a little: nothing is from the future, and nothing older than a year is of use.
        let age = Int64(clamping: time.subtractingReportingOverflow(created).partialValue)
        let nanoseconds = min(max(0, age), yearNanoseconds / 1_000_000) * 1_000_000
        let lifetime = Lifetime(
            createdAt: Instant(nanoseconds: now.nanoseconds - nanoseconds), ttl: ttl, staleWhileRevalidate: revalidate,
            staleIfError: ifError)
        let entry = CacheEntry(
            form, ByteBuffer(copying: reader.rest), lifetime, status: status,
            isOnlyWhole: flags == 1, fields: fields,
            labels: CacheEntry.Labels(model: model, scene: scene, tenant: tenant, provider: provider), content: content)
        return (entry, created)
    }

    /// Whether it can stand in a head without ending it (RFC 9110 §5.1, §5.5).
    private static func isField(_ name: String, _ value: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0.isASCIILetter || $0.isDecimalDigit }
            && value.utf8.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }
    }

    /// Takes values off the front; `nil` where there are not enough bytes.
    private struct Reader: ~Escapable {
        private let bytes: Span<UInt8>
        private var at = 0
        private static let textByteCountMax = 65_536
        private static let millisecondsMax = 31_536_000_000

        @_lifetime(copy bytes)
        init(_ bytes: Span<UInt8>) { self.bytes = bytes }

        var rest: Span<UInt8> {
            @_lifetime(copy self) get { bytes.extracting(at..<bytes.count) }
        }

        mutating func byte() -> UInt8? {
            if at >= bytes.count { return nil }
            at += 1
            return bytes[at - 1]
        }

        mutating func number(byteCount: Int = 8) -> Int? {
            if bytes.count - at < byteCount { return nil }
            var number = 0
            for _ in 0..<byteCount {
                number = number << 8 | Int(bytes[at])
                at += 1
            }
            return number
        }

        /// Up to a year.
        mutating func duration() -> Duration? {
            guard let number = number(), number >= 0, number <= Self.millisecondsMax else { return nil }
            return .milliseconds(number)
        }

        mutating func key() -> CacheKey? {
            if bytes.count - at < CacheKey.byteCount { return nil }
            at += CacheKey.byteCount
            return CacheKey(bytes.extracting(at - CacheKey.byteCount..<at))
        }

        mutating func text() -> String? {
            guard let count = number(byteCount: 4), count <= Self.textByteCountMax, bytes.count - at >= count else {
                return nil
            }
            at += count
            return String(decoding: bytes.extracting(at - count..<at))
        }
    }
}
