internal import SluiceCore

/// Writes header lines into free space, one after the other.
@safe struct LineWriter {
    private let space: UnsafeMutableRawBufferPointer
    private(set) var byteCount = 0

    @unsafe init(_ space: UnsafeMutableRawBufferPointer) { unsafe self.space = space }

    /// Writes `name: value` and a line end.
    @inline(__always) mutating func write(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        precondition(unsafe space.count &- byteCount >= name.count &+ value.count &+ 4, "no room for a header line")
        copy(name)
        unsafe space.storeBytes(of: Self.pair(":", " "), toByteOffset: byteCount, as: UInt16.self)
        byteCount &+= 2
        copy(value)
        unsafe space.storeBytes(of: Self.pair("\r", "\n"), toByteOffset: byteCount, as: UInt16.self)
        byteCount &+= 2
    }

    @inline(__always) private mutating func copy(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { from in
            guard let source = from.baseAddress, let start = unsafe space.baseAddress else { return }
            unsafe (start + byteCount).copyMemory(from: source, byteCount: from.count)
        }
        byteCount &+= bytes.count
    }

    private static func pair(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> UInt16 {
        (UInt16(UInt8(ascii: first)) | UInt16(UInt8(ascii: second)) << 8).littleEndian
    }
}
