internal import SluiceCore

/// One strict pass over a document that leaves its values on a tape. It does not recurse: open containers are linked
/// through the entries they have on the tape.
///
/// All of it is inlined into `scan()` and lives in registers; only the rare ways (growing, errors, text that is not
/// ASCII) are calls.
@safe struct JSONScanner {
    private static let none = UInt32.max

    let base: UnsafePointer<UInt8>
    let end: Int
    var at = 0

    private let tape: UnsafeMutablePointer<JSONTapeStorage>
    private var entries: UnsafeMutablePointer<JSONEntry>
    private var capacity: Int
    private let entryCountMax: Int
    private var count = 0
    /// The index of the innermost container that is still open.
    private var open = JSONScanner.none
    private var openIsObject = false
    private var depthLeft: Int

    @unsafe init(
        _ base: UnsafePointer<UInt8>, count: Int, onto tape: UnsafeMutablePointer<JSONTapeStorage>, limits: JSONLimits
    ) {
        unsafe self.base = base
        end = count
        unsafe self.tape = tape
        unsafe entries = tape.pointee.entries
        entryCountMax = max(limits.entryCountMax, 0)
        capacity = unsafe min(tape.pointee.capacity, entryCountMax)
        depthLeft = limits.depthMax
    }

    /// - Returns: how many entries the tape has now.
    mutating func scan() throws(JSONError) -> Int {
        if end >= 3, unsafe base[0] == 0xEF, unsafe base[1] == 0xBB, unsafe base[2] == 0xBF {
            throw JSONError(.byteOrderMark, at: 0)
        }
        skipWhitespace()
        members: while true {
            if openIsObject { try readKey() }
            if try readValue() { continue }  // a container was opened that is not empty
            while open != Self.none {
                skipWhitespace()
                let byte = peek
                if byte == UInt8(ascii: ",") {
                    at &+= 1
                    skipWhitespace()
                    continue members
                }
                try close(byte)
            }
            break
        }
        skipWhitespace()
        if at < end { throw JSONError(.trailingBytes, at: at) }
        return count
    }

    // MARK: Containers

    /// - Returns: whether a container was opened and its first member or element is next.
    @inline(__always) private mutating func readValue() throws(JSONError) -> Bool {
        let byte = peek
        switch byte {
        case UInt8(ascii: "\""): try readString()
        case UInt8(ascii: "{"): return try openContainer(.object, closedBy: UInt8(ascii: "}"))
        case UInt8(ascii: "["): return try openContainer(.array, closedBy: UInt8(ascii: "]"))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try readNumber()
        case UInt8(ascii: "t"): try readLiteral(0x6575_7274, from: at, JSONKind.boolean.bits | JSONEntry.isTrue)
        case UInt8(ascii: "f"): try readLiteral(0x6573_6C61, from: at &+ 1, JSONKind.boolean.bits)
        case UInt8(ascii: "n"): try readLiteral(0x6C6C_756E, from: at, JSONKind.null.bits)
        default: throw failure(.valueExpected)
        }
        return false
    }

    @inline(__always) private mutating func openContainer(
        _ kind: JSONKind, closedBy closing: UInt8
    ) throws(JSONError) -> Bool {
        if depthLeft <= 0 { throw JSONError(.tooDeep, at: at) }
        let start = at
        at &+= 1
        skipWhitespace()
        if peek == closing {
            at &+= 1
            try push(kind.bits, from: start)
            return false
        }
        depthLeft &-= 1
        let index = UInt32(truncatingIfNeeded: count)
        try push(kind.bits, from: start)
        unsafe entries[Int(index)].next = open
        open = index
        openIsObject = kind == .object
        return true
    }

    @inline(__always) private mutating func close(_ byte: UInt8) throws(JSONError) {
        let closing = openIsObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        if byte != closing { throw failure(openIsObject ? .memberEndExpected : .elementEndExpected) }
        at &+= 1
        depthLeft &+= 1
        let closed = Int(open)
        unsafe open = entries[closed].next
        unsafe entries[closed].end = UInt32(truncatingIfNeeded: at)
        unsafe entries[closed].next = UInt32(truncatingIfNeeded: count)
        openIsObject = unsafe open != Self.none && entries[Int(open)].isKind(.object)
    }

    @inline(__always) private mutating func readKey() throws(JSONError) {
        if peek != UInt8(ascii: "\"") { throw failure(.keyExpected) }
        try readString()
        skipWhitespace()
        if peek != UInt8(ascii: ":") { throw failure(.colonExpected) }
        at &+= 1
        skipWhitespace()
    }

    /// - Parameter letters: the word's last four letters, first one lowest, which stand at `start`.
    @inline(__always) private mutating func readLiteral(
        _ letters: UInt32, from start: Int, _ bits: UInt32
    ) throws(JSONError) {
        if unsafe UTF8Sequence.word(base, start, end: end) != letters { throw failure(.invalidLiteral) }
        let word = at
        at = start &+ 4
        try push(bits, from: word)
    }

    // MARK: The tape

    /// Adds the value that goes from `start` to here.
    @inline(__always) mutating func push(_ bits: UInt32, from start: Int) throws(JSONError) {
        if count == capacity {
            try unsafe Self.makeRoom(on: tape, used: count, limit: entryCountMax, at: start)
            unsafe entries = tape.pointee.entries
            capacity = unsafe min(tape.pointee.capacity, entryCountMax)
        }
        let entry = JSONEntry(
            start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: at),
            next: UInt32(truncatingIfNeeded: count &+ 1), bits: bits)
        unsafe entries[count] = entry
        count &+= 1
    }

    @unsafe @inline(never) private static func makeRoom(
        on tape: UnsafeMutablePointer<JSONTapeStorage>, used: Int, limit: Int, at offset: Int
    ) throws(JSONError) {
        if used >= limit { throw JSONError(.tooManyEntries, at: offset) }
        unsafe tape.pointee.grow(used: used, limit: limit)
    }

    // MARK: Bytes

    /// The next byte; 0, which stands nowhere in a document, at its end.
    @inline(__always) var peek: UInt8 { unsafe at < end ? base[at] : 0 }

    /// What to throw for the byte that is next.
    @inline(__always) func failure(_ kind: JSONError.Kind) -> JSONError {
        JSONError(at < end ? kind : .unexpectedEnd, at: min(at, end))
    }

    @inline(__always) private mutating func skipWhitespace() {
        if at < end, unsafe base[at] <= ASCII.space { unsafe at = Self.endOfWhitespace(base, from: at, end: end) }
    }

    @unsafe @inline(never) private static func endOfWhitespace(
        _ base: UnsafePointer<UInt8>, from start: Int, end: Int
    ) -> Int {
        let eightSpaces: UInt64 = 0x2020_2020_2020_2020
        var at = start
        while at < end {
            switch unsafe base[at] {
            case ASCII.space:
                at &+= 1
                while end &- at >= 8 {
                    let word = unsafe UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
                    if word != eightSpaces { break }
                    at &+= 8
                }
            case ASCII.tab, ASCII.lineFeed, ASCII.carriageReturn: at &+= 1
            default: return at
            }
        }
        return at
    }
}
