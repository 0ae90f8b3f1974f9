package import SluiceCore

/// The master keys of a process: one that seals, and older or newer ones that only open.
package struct MasterKeys: Sendable, Equatable {
    /// How many keys there may be at one time.
    package static let countMax = 32
    /// The longest text of keys, in bytes.
    package static let textByteCountMax = 16 << 10

    struct Key: Sendable, Equatable {
        let id: SecretKeyID
        /// What data keys are wrapped with: derived from the master key, which itself is used for nothing else.
        let wrapping: Secret

        init(_ key: Secret) {
            id = SecretKeyID(of: key)
            let derived = key.withExposed { MAC.sha256(key: $0, message: "sluice data key wrap v1".utf8Span.span) }
            wrapping = Secret(derived.span)
        }
    }

    /// The first is the current one.
    let keys: [Key]

    package var currentID: SecretKeyID? { keys.first?.id }
    package var ids: [SecretKeyID] { keys.map(\.id) }

    package static let none = MasterKeys([])

    /// - Parameter keys: 32 bytes each, the current one first.
    package init(_ keys: [Secret]) {
        var taken: [Key] = []
        for key in keys.map(Key.init) where !taken.contains(where: { $0.id == key.id }) { taken.append(key) }
        self.keys = taken
    }

    /// These, and after them more that only open.
    package func adding(_ others: MasterKeys) -> MasterKeys {
        MasterKeys(keys: keys + others.keys.filter { other in !keys.contains { $0.id == other.id } })
    }

    private init(keys: [Key]) { self.keys = keys }

    func key(_ id: SecretKeyID) -> Key? { keys.first { $0.id == id } }
}

extension MasterKeys {
    /// Why a text is not master keys. Nothing of the text is repeated.
    package enum Unreadable: Error, Equatable, CustomStringConvertible {
        case empty
        case notAKey(line: Int)
        case notRandom(line: Int)
        case tooMany

        package var description: String {
            switch self {
            case .empty: "no key in it; `sluice secret generate` makes one"
            case .notAKey(let line):
                "line \(line) is not a key: 32 random bytes in Base64 or 64 hexadecimal digits, as `sluice secret generate` "
                    + "writes them"
            case .notRandom(let line): "line \(line) is not a random key; `sluice secret generate` makes one"
            case .tooMany: "more than \(countMax) keys"
            }
        }
    }

    /// How many different bytes a random key has at least: fewer happen once in 10^20 keys.
    private static let distinctBytesMin = 12

    /// Reads a key a line, in Base64 of either alphabet or in hexadecimal; the first is the current one. Empty lines, and what
    /// begins with `#`, are passed over.
    package init(text: Span<UInt8>) throws(Unreadable) {
        var keys: [Secret] = []
        var start = 0
        var line = 0
        while start < text.count {
            line += 1
            var end = start
            while end < text.count, text[end] != ASCII.lineFeed { end += 1 }
            let content = Self.trimmed(text.extracting(start..<end))
            start = end + 1
            if content.isEmpty || content[0] == UInt8(ascii: "#") { continue }
            keys.append(try Self.key(content, line: line))
            if keys.count > Self.countMax { throw .tooMany }
        }
        if keys.isEmpty { throw .empty }
        self.init(keys)
    }

    @_lifetime(copy line)
    private static func trimmed(_ line: Span<UInt8>) -> Span<UInt8> {
        var from = 0
        var to = line.count
        while from < to, isBlank(line[from]) { from += 1 }
        while to > from, isBlank(line[to - 1]) { to -= 1 }
        return line.extracting(from..<to)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == ASCII.carriageReturn
    }

    private static func key(_ text: Span<UInt8>, line: Int) throws(Unreadable) -> Secret {
        var bytes = hexadecimal(text) ?? Base64.decode(text) ?? Base64.decode(text, .urlSafe) ?? []
        defer { for index in bytes.indices { bytes[index] = 0 } }
        guard bytes.count == AuthenticatedCipher.keyByteCount else { throw .notAKey(line: line) }
        guard Set(bytes).count >= distinctBytesMin else { throw .notRandom(line: line) }
        return Secret(bytes.span)
    }

    private static func hexadecimal(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count == 2 * AuthenticatedCipher.keyByteCount else { return nil }
        var bytes: [UInt8] = []
        for index in 0..<AuthenticatedCipher.keyByteCount {
            guard let high = text[2 * index].hexDigitValue, let low = text[2 * index + 1].hexDigitValue else {
                return nil
            }
            bytes.append(UInt8(truncatingIfNeeded: high << 4 | low))
        }
        return bytes
    }

    /// A new key as a line of such a text.
    package static func generate() -> Secret {
        let bytes = SecureRandom.bytes(AuthenticatedCipher.keyByteCount)
        return Secret(Base64.encode(bytes.span, .urlSafe))
    }
}
