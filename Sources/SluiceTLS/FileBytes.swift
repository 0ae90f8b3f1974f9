internal import COpenSSL
internal import Glibc

/// A whole file in memory. The memory is wiped when it goes, for it may hold a private key.
@safe package final class FileBytes: @unchecked Sendable {
    // Sendable: written in `init` only.

    /// The longest file read, in bytes. The bundle of all public authorities takes a quarter of a megabyte.
    static let byteCountMax = 4 << 20

    private let memory: UnsafeMutableRawBufferPointer
    private let count: Int
    package let path: String

    /// - Throws: `.configuration`, naming the file.
    package init(path: String) throws(TLSError) {
        self.path = path
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw Self.unreadable(path, errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        if unsafe fstat(descriptor, &status) != 0 { throw Self.unreadable(path, errno) }
        if status.st_mode & S_IFMT == S_IFDIR { throw Self.unreadable(path, EISDIR) }
        if status.st_size > Self.byteCountMax {
            throw TLSError(.configuration, "\(path) is longer than \(Self.byteCountMax) bytes: not a PEM file")
        }
        // A pipe or a file of a virtual file system gives no size: as much as there may be, then.
        let capacity = status.st_size > 0 ? Int(status.st_size) + 1 : Self.byteCountMax
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        switch unsafe Self.fill(memory, from: descriptor) {
        case .success(let filled): count = filled
        case .failure(let failure):
            count = 0
            throw Self.unreadable(path, failure.number)
        }
    }

    /// A text that is no file, under the name that errors give it.
    package init(copying bytes: Span<UInt8>, named name: String) {
        path = name
        count = bytes.count
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
        for index in bytes.indices { unsafe memory.storeBytes(of: bytes[index], toByteOffset: index, as: UInt8.self) }
    }

    deinit {
        unsafe OPENSSL_cleanse(memory.baseAddress, memory.count)
        unsafe memory.deallocate()
    }

    package var span: Span<UInt8> {
        @_lifetime(borrow self) get {
            let base = unsafe memory.baseAddress!.assumingMemoryBound(to: UInt8.self)
            let span = unsafe Span(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    private struct ReadFailure: Error { let number: Int32 }

    private static func fill(
        _ memory: UnsafeMutableRawBufferPointer, from descriptor: Int32
    ) -> Result<Int, ReadFailure> {
        var filled = 0
        while filled < memory.count {
            let got = unsafe read(descriptor, memory.baseAddress! + filled, memory.count - filled)
            if got == 0 { break }
            if got < 0 {
                if errno == EINTR { continue }
                return .failure(ReadFailure(number: errno))
            }
            filled += got
        }
        return .success(filled)
    }

    private static func unreadable(_ path: String, _ number: Int32) -> TLSError {
        let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
        return TLSError(.configuration, "\(path) cannot be read: \(reason)")
    }
}
