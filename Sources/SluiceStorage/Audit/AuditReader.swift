internal import Glibc
internal import SluiceCore
internal import SluiceJSON
package import SluiceNet

/// Reads an audit log from its end, for people: lines as they stand, the latest first.
package struct AuditReader {
    package struct Query: Sendable, Equatable {
        /// Only lines before this number.
        package var before = Int.max
        package var event: String?
        package var actor: String?
        package var limit = 100

        package init() {}
    }

    package struct Page: Sendable {
        /// Each a JSON object.
        package var lines: [[UInt8]] = []
        /// Where the next page begins, as `before`; `nil`: there is nothing more.
        package var next: Int?
    }

    /// How many lines are looked at for one page; the page may be short then, and says where the next begins.
    private static let linesMax = 100_000
    private static let chunkByteCount = 256 << 10

    private let query: Query
    private var page = Page()
    private var looked = 0
    private let tape = JSONTape()

    /// Blocks: not on a worker.
    package static func read(_ directory: String, _ query: Query) throws(SystemError) -> Page {
        var reader = AuditReader(query)
        var names = try AuditFiles.old(directory)
        names.append(AuditFiles.current)
        for name in names.reversed() {
            if let first = AuditFiles.firstNumber(name), first >= query.before { continue }
            if try !reader.read(directory + "/" + name) { break }
        }
        return reader.page
    }

    private init(_ query: Query) { self.query = query }

    /// - Returns: whether to go on with the file before.
    private mutating func read(_ path: String) throws(SystemError) -> Bool {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if fd < 0 {
            if errno == ENOENT { return true }
            throw SystemError("open")
        }
        defer { close(fd) }
        var status = stat()
        if unsafe fstat(fd, &status) != 0 { throw SystemError("fstat") }
        var end = Int(status.st_size)
        // The end of a line whose beginning is still to be read.
        var rest: [UInt8] = []
        while end > 0 {
            let start = max(0, end - Self.chunkByteCount)
            let bytes = try AuditFiles.read(fd, from: start, byteCountMax: end - start) + rest
            end = start
            var lines = bytes.split(separator: ASCII.lineFeed, omittingEmptySubsequences: false)
            rest = start > 0 ? Array(lines.removeFirst()) : []
            if rest.count > AuditLine.byteCountMax { rest = [] }
            for line in lines.reversed() where !line.isEmpty {
                if !take(Array(line)) { return false }
            }
        }
        return true
    }

    /// - Returns: whether there is room for more.
    private mutating func take(_ line: [UInt8]) -> Bool {
        guard let number = line.lineNumber, number < query.before else { return true }
        if page.lines.count >= query.limit || looked >= Self.linesMax {
            page.next = number + 1
            return false
        }
        looked += 1
        if matches(line) { page.lines.append(line) }
        return true
    }

    private func matches(_ line: [UInt8]) -> Bool {
        let span = line.span
        guard line.count <= AuditLine.byteCountMax, (try? tape.scan(span)) != nil else { return false }
        let object = tape.root(over: span)
        if let event = query.event, object["event"]?.string != event { return false }
        if let actor = query.actor, object["actor"]?.string != actor { return false }
        return true
    }
}

extension [UInt8] {
    /// The number that a line begins with, of which there may be only the beginning here.
    var lineNumber: Int? {
        guard starts(with: "{\"seq\":".utf8) else { return nil }
        let digits = dropFirst(7).prefix(while: \.isDecimalDigit)
        return digits.count > 15 ? nil : Int(String(decoding: digits, as: UTF8.self))
    }
}
