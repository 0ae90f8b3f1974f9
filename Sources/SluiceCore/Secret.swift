/// Bytes that must not be seen: a key, a token, a password.
///
/// Printing, interpolating, dumping or reflecting a secret shows `<secret>`; its bytes are reached through `withExposed`
/// and `exposedText` alone, so that a search for `xposed` finds every place that reads one. Its memory is overwritten when
/// the last copy goes.
package struct Secret: Sendable {
    private let storage: Storage

    package init(_ bytes: Span<UInt8>) { storage = Storage(bytes) }
    package init(_ text: String) { self.init(text.utf8Span.span) }

    package var byteCount: Int { storage.count }
    package var isEmpty: Bool { storage.count == 0 }

    /// Calls `body` with the secret's bytes, which are valid during the call.
    package func withExposed<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage.span)
    }

    /// The secret as text; what is not UTF-8 becomes U+FFFD. The copy is not overwritten: prefer `withExposed`.
    package var exposedText: String { String(decoding: storage.span) }
}

extension Secret: Hashable {
    /// Takes a time that depends on the two lengths only, never on where the bytes differ.
    package static func == (one: Secret, other: Secret) -> Bool {
        one.matches(other.storage.span)
    }

    /// With a key that is new in every process: a hash tells nothing of the secret.
    package func hash(into hasher: inout Hasher) {
        let bytes = storage.span
        for index in bytes.indices { hasher.combine(bytes[index]) }
    }

    /// Whether these are the secret's bytes, in a time that depends on the two lengths only.
    package func matches(_ candidate: Span<UInt8>) -> Bool {
        let bytes = storage.span
        var difference: UInt8 = bytes.count == candidate.count ? 0 : 1
        for index in candidate.indices {
            difference |= candidate[index] ^ (index < bytes.count ? bytes[index] : 0)
        }
        return difference == 0
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What is shown in place of every secret.
    package static let mask = "<secret>"
    package var description: String { Self.mask }
    package var debugDescription: String { Self.mask }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection(), displayStyle: .struct) }
}

extension Secret {
    /// Bytes of its own that are overwritten before they are freed.
    ///
    /// `@unchecked Sendable`: the memory is written in `init`, before anyone else sees it, and in `deinit`, after the
    /// last.
    @safe private final class Storage: @unchecked Sendable, CustomReflectable {
        private let base: UnsafeMutableBufferPointer<UInt8>

        init(_ bytes: Span<UInt8>) {
            unsafe base = .allocate(capacity: bytes.count)
            for index in bytes.indices { unsafe base.initializeElement(at: index, to: bytes[index]) }
        }

        deinit {
            unsafe base.update(repeating: 0)
            unsafe Self.keep(UnsafeRawPointer(base.baseAddress))
            unsafe base.deallocate()
        }

        var count: Int { unsafe base.count }

        var span: Span<UInt8> {
            @_lifetime(borrow self) get {
                let span = unsafe Span(_unsafeElements: UnsafeBufferPointer(base))
                return unsafe _overrideLifetime(span, borrowing: self)
            }
        }

        var customMirror: Mirror { Mirror(self, children: EmptyCollection(), displayStyle: .class) }

        /// Neither inlined nor seen through: without a reader the optimiser may drop the writes that overwrite.
        @inline(never) @_optimize(none) private static func keep(_ address: UnsafeRawPointer?) {}
    }
}
