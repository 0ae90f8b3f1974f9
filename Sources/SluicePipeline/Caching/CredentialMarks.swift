internal import SluiceCore
internal import SluiceTLS
internal import Synchronization

/// What stands for credentials in limits and logs: the first 16 digits of their SHA-256.
///
/// Few credentials come again and again: those that came last are remembered, in memory that is overwritten when they go. Shared
/// by all workers; a lock is held for one look.
package final class CredentialMarks: Sendable {
    private final class Known: Sendable {
        let hash: Int
        let credential: Secret
        let mark: String

        init(_ hash: Int, _ credential: Span<UInt8>, _ mark: String) {
            self.hash = hash
            self.credential = Secret(credential)
            self.mark = mark
        }

        func isOf(_ hash: Int, _ credential: Span<UInt8>) -> Bool {
            hash == self.hash && self.credential.withExposed { $0.isSame(as: credential) }
        }
    }

    private final class Place: Sendable {
        let known = Mutex<Known?>(nil)
    }

    private let places: [Place]
    private static let placeCount = 256
    private static let digitCount = 16

    package init() { places = (0..<Self.placeCount).map { _ in Place() } }

    package func mark(of credential: Span<UInt8>) -> String {
        var hasher = Hasher()  // another one in every process: nobody can aim at a place
        unsafe credential.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        let hash = hasher.finalize()
        let place = places[hash & (Self.placeCount - 1)]
        let known = place.known.withLock { $0 }
        if let known, known.isOf(hash, credential) { return known.mark }
        let mark = Self.digits(of: credential)
        let fresh = Known(hash, credential, mark)
        place.known.withLock { $0 = fresh }
        return mark
    }

    static func digits(of bytes: Span<UInt8>) -> String {
        let hex = ByteBuffer(capacity: 64)
        SHA256.hash(bytes).append(hexadecimalTo: hex)
        return String(decoding: hex.span.extracting(0..<digitCount))
    }
}

extension Span<UInt8> {
    fileprivate func isSame(as other: Span<UInt8>) -> Bool {
        if count != other.count { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
