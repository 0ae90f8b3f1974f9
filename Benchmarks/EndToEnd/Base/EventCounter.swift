internal import Glibc

/// Counts the events of a `text/event-stream` by their `data` lines; keep-alive comments do not count.
struct EventCounter {
    private(set) var count = 0
    private var isAtLineStart = true

    mutating func count(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard var position = buffer.baseAddress else { return }
            let end = unsafe position + buffer.count
            while unsafe position < end {
                if unsafe isAtLineStart && position.pointee == UInt8(ascii: "d") { count += 1 }
                guard let lineFeed = unsafe memchr(position, Int32(UInt8(ascii: "\n")), end - position) else {
                    isAtLineStart = false
                    return
                }
                isAtLineStart = true
                unsafe position = UnsafePointer(lineFeed.assumingMemoryBound(to: UInt8.self)) + 1
            }
        }
    }
}
