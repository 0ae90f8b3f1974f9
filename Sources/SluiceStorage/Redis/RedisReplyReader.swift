internal import CHiredis
internal import SluiceCore

/// Reads replies out of the bytes of a connection, however they were cut, with hiredis' reader.
///
/// What it holds is bounded: a reply by its bytes and its elements, nesting by hiredis itself (7 levels in 0.14).
@safe package final class RedisReplyReader {
    package struct Malformed: Error, Equatable { package let message: String }

    /// One array whose elements have not all come.
    private struct Frame {
        var elements: [RedisReply] = []
        var remaining: Int
    }

    /// The longest reply, in bytes as they are sent.
    package static let replyByteCountMax = 16_777_216
    /// The elements of one reply, those of all its arrays together.
    package static let elementsMax = 262_144

    private let reader: UnsafeMutablePointer<redisReader>
    private var frames: [Frame] = []
    private var complete: RedisReply?
    private var elementCount = 0
    /// Bytes given since the last reply was complete.
    private var unreadByteCount = 0

    package init() {
        guard let fresh = unsafe redisReaderCreateWithFunctions(Self.functions) else {
            preconditionFailure("out of memory for a reader of replies")
        }
        unsafe reader = fresh
        unsafe reader.pointee.privdata = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { unsafe redisReaderFree(reader) }

    /// Takes in what has arrived.
    package func feed(_ bytes: Span<UInt8>) throws(Malformed) {
        unreadByteCount += bytes.count
        if unreadByteCount > Self.replyByteCountMax {
            throw Malformed(message: "a reply of more than \(Self.replyByteCountMax) bytes")
        }
        let result = unsafe bytes.withUnsafeBytes {
            unsafe redisReaderFeed(reader, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        if result != REDIS_OK { throw malformed() }
    }

    /// The next reply; `nil` until all of it has arrived.
    ///
    /// - Throws: `Malformed`. Where the next reply begins is unknown: the connection is of no more use.
    package func next() throws(Malformed) -> RedisReply? {
        var object: UnsafeMutableRawPointer?
        if unsafe redisReaderGetReply(reader, &object) != REDIS_OK { throw malformed() }
        guard let reply = complete else { return nil }
        complete = nil
        elementCount = 0
        unreadByteCount = unsafe reader.pointee.len - reader.pointee.pos
        return reply
    }

    private func malformed() -> Malformed {
        if elementCount > Self.elementsMax {
            return Malformed(message: "a reply of more than \(Self.elementsMax) elements")
        }
        let text = unsafe withUnsafeBytes(of: &reader.pointee.errstr) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return Malformed(message: text.isEmpty ? "no reply of Redis" : text)
    }

    // MARK: What hiredis has read, in the order in which it stands in the bytes

    private func begin(arrayOf count: Int) -> Bool {
        // Ahead of its elements: a number alone makes nobody allocate.
        elementCount += count
        if elementCount > Self.elementsMax { return false }
        if count == 0 {
            add(.array([]))
        } else {
            frames.append(Frame(remaining: count))
        }
        return true
    }

    private func add(_ value: RedisReply) {
        var value = value
        while let last = frames.indices.last {
            frames[last].elements.append(value)
            frames[last].remaining -= 1
            if frames[last].remaining > 0 { return }
            value = .array(frames.removeLast().elements)
        }
        complete = value
    }

    @unsafe private func add(_ type: Int32, _ bytes: UnsafeRawBufferPointer) {
        switch type {
        case REDIS_REPLY_STATUS: unsafe add(.status(String(decoding: bytes, as: UTF8.self)))
        case REDIS_REPLY_ERROR: unsafe add(.error(String(decoding: bytes, as: UTF8.self)))
        default: unsafe add(.bytes(Array(bytes)))
        }
    }

    // MARK: Thunks

    /// One table for all readers, never changed and never freed. Every function gives hiredis something that is not null, which it
    /// keeps and does not look into.
    nonisolated(unsafe) private static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        let table = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        unsafe table.initialize(
            to: redisReplyObjectFunctions(
                createString: { task, text, count in
                    unsafe RedisReplyReader.fill(task) { reader, type in
                        unsafe reader.add(type, UnsafeRawBufferPointer(start: text, count: count))
                        return true
                    }
                },
                createArray: { task, count in
                    unsafe RedisReplyReader.fill(task) { reader, _ in reader.begin(arrayOf: Int(count)) }
                },
                createInteger: { task, number in
                    unsafe RedisReplyReader.fill(task) { reader, _ in
                        reader.add(.integer(Int(number)))
                        return true
                    }
                },
                createNil: { task in
                    unsafe RedisReplyReader.fill(task) { reader, _ in
                        reader.add(.null)
                        return true
                    }
                },
                freeObject: { _ in }))
        return unsafe table
    }()

    /// Calls the reader that a task belongs to.
    ///
    /// - Returns: null, which ends the reading, if `body` says so.
    @unsafe private static func fill(
        _ task: UnsafePointer<redisReadTask>?, _ body: (RedisReplyReader, Int32) -> Bool
    ) -> UnsafeMutableRawPointer? {
        guard let task = unsafe task, let owner = unsafe task.pointee.privdata else { return nil }
        let reader = unsafe Unmanaged<RedisReplyReader>.fromOpaque(owner).takeUnretainedValue()
        return unsafe body(reader, task.pointee.type) ? owner : nil
    }
}
