internal import CSIMD

/// Text that stands in a JSON string as it is.
enum PlainText {
    /// The offset of the first byte at or after `start` that is a quotation mark, a backslash, a control character or
    /// not ASCII; `end` if there is none.
    @unsafe @inline(__always) static func end(_ base: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
        var at = start
        while end &- at >= 16 {
            let run = unsafe csimd_first_string_stop(base + at)
            if run < 16 { return at &+ run }
            at &+= 16
        }
        while at < end, unsafe isPlain(base[at]) { at &+= 1 }
        return at
    }

    @inline(__always) static func isPlain(_ byte: UInt8) -> Bool {
        byte &- 0x20 < 0x60 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
