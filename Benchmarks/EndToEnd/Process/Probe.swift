internal import Glibc

/// One request on a connection of its own, and its reply.
enum Probe {
    /// The longest wait for the next bytes, in milliseconds.
    private static let replyTimeMax = 3_000

    /// - Returns: `nil` if nobody answers in time, or not whole.
    static func reply(to request: [UInt8], port: UInt16) -> MessageReader? {
        guard let file = try? Socket.connect(port: port) else { return nil }
        defer { Socket.reset(file) }
        guard send(request, on: file) else { return nil }
        var reader = MessageReader(.response)
        let buffer = ReadBuffer(capacity: 65_536)
        while !reader.isComplete {
            guard isReady(file, for: POLLIN), case .bytes(let count) = Socket.read(file, into: buffer),
                (try? reader.consume(buffer.prefix(count))) != nil
            else { return nil }
        }
        return reader
    }

    /// All that comes back until the other side ends, head and all.
    static func text(of request: [UInt8], port: UInt16) -> String? {
        guard let file = try? Socket.connect(port: port) else { return nil }
        defer { Socket.reset(file) }
        guard send(request, on: file) else { return nil }
        var bytes: [UInt8] = []
        let buffer = ReadBuffer(capacity: 65_536)
        while isReady(file, for: POLLIN) {
            guard case .bytes(let count) = Socket.read(file, into: buffer) else { break }
            let part = buffer.prefix(count)
            for index in part.indices { bytes.append(part[index]) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func send(_ request: [UInt8], on file: Int32) -> Bool {
        var offset = 0
        while offset < request.count {
            guard isReady(file, for: POLLOUT) else { return false }
            switch Socket.write(file, request, from: offset) {
            case .bytes(let count): offset += count
            case .wouldBlock: continue
            case .closed: return false
            }
        }
        return true
    }

    private static func isReady(_ file: Int32, for events: Int32) -> Bool {
        var entry = pollfd(fd: file, events: Int16(events), revents: 0)
        return unsafe poll(&entry, 1, Int32(replyTimeMax)) == 1
    }
}
