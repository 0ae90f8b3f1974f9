package import SluiceCore

/// What the fuzzer made up, and everything that is chosen besides: where it is cut, and what is done with it.
///
/// Choices are drawn from the bytes themselves, so that an input alone reproduces what happened, and any file of the
/// format can be a seed.
package struct Input {
    package let bytes: [UInt8]
    package var random: SplitMix64

    package init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        random = SplitMix64(hash)
    }

    /// Ends of pieces, the last one at the end of the bytes.
    package mutating func cuts() -> [Int] {
        if bytes.count <= 64, random.next() & 7 == 0 {
            return Array(1..<max(2, bytes.count + 1)).filter { $0 <= bytes.count }
        }
        let inner = (0..<Int.random(in: 0...4, using: &random)).map { _ in
            Int.random(in: 0...bytes.count, using: &random)
        }
        return inner.sorted() + [bytes.count]
    }

    /// The first line, without its line feed, and what follows it.
    package var firstLineAndRest: (line: ArraySlice<UInt8>, rest: ArraySlice<UInt8>) {
        let end = bytes.firstIndex(of: 10) ?? bytes.count
        return (bytes[..<end], bytes[end...].dropFirst())
    }
}

/// Stops the fuzzer: this input shows a mistake.
package func expect(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError(what()) }
}

extension Array where Element == UInt8 {
    package mutating func append(each bytes: Span<UInt8>) {
        reserveCapacity(count + bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }
}
