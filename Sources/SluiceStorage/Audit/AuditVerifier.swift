internal import Glibc
internal import SluiceCore
package import SluiceNet
internal import SluiceTLS

/// Reads an audit log from its first line to its last and says where its chain breaks.
package struct AuditVerifier {
    package struct Finding: Sendable, Equatable, CustomStringConvertible {
        package let file: String
        /// Counts from 1 in its file; 0: the file as a whole.
        package let line: Int
        package let message: String

        package var description: String { line == 0 ? "\(file): \(message)" : "\(file):\(line): \(message)" }
    }

    package struct Report: Sendable, Equatable {
        package var lineCount = 0
        package var first: Int?
        package var end: AuditHead?
        /// Lines whose MAC was checked.
        package var authenticated = 0
        /// Where somebody has changed the log.
        package var breaks: [Finding] = []
        package var breaksOmitted = 0
        /// What is as it may be, and worth knowing.
        package var notes: [Finding] = []

        package var isSound: Bool { breaks.isEmpty }
    }

    private let directory: String
    private let key: AuditKey?
    private let anchor: AuditHead?
    private var report = Report()
    private var last: AuditHead?
    private var isAuthenticated = false
    private var torn: Digest?
    private var isAnchorSeen = false
    /// The first line of the file that is being read; of `audit.jsonl` at the end.
    private var fileBegins: Int?
    private static let breaksMax = 100
    private static let chunkByteCount = 1 << 20

    /// - Parameters:
    ///   - key: `nil`: MACs are not checked, and who can write the files could have made the chain anew.
    ///   - anchor: where the log ended at some time, as it was noted elsewhere.
    package static func verify(
        _ directory: String, key: AuditKey?, anchor: AuditHead? = nil
    ) throws(SystemError) -> Report {
        var verifier = AuditVerifier(directory: directory, key: key, anchor: anchor)
        for name in try AuditFiles.old(directory) + [AuditFiles.current] { try verifier.read(name) }
        try verifier.finish()
        return verifier.report
    }

    private init(directory: String, key: AuditKey?, anchor: AuditHead?) {
        self.directory = directory
        self.key = key
        self.anchor = anchor
    }

    // MARK: Files

    private mutating func read(_ name: String) throws(SystemError) {
        let fd = unsafe open(directory + "/" + name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if fd < 0 {
            if errno == ENOENT { return }
            throw SystemError("open")
        }
        defer { close(fd) }
        fileBegins = nil
        var rest: [UInt8] = []
        var offset = 0
        var line = 0
        while true {
            let chunk = try AuditFiles.read(fd, from: offset, byteCountMax: Self.chunkByteCount)
            if chunk.isEmpty { break }
            offset += chunk.count
            rest += chunk
            var start = 0
            while let end = rest[start...].firstIndex(of: ASCII.lineFeed) {
                line += 1
                take(Array(rest[start..<end]), name, line)
                start = end + 1
            }
            rest.removeFirst(start)
            if rest.count > AuditLine.byteCountMax {
                found(name, line + 1, "a line of more than \(AuditLine.byteCountMax) bytes")
                return
            }
        }
        if rest.isEmpty { return }
        if name == AuditFiles.current, AuditLine.read(rest.span) == nil {
            report.notes.append(
                Finding(file: name, line: line + 1, message: "a line is being written, or its writer was killed"))
        } else {
            take(rest, name, line + 1)
        }
    }

    // MARK: Lines

    private mutating func take(_ bytes: [UInt8], _ file: String, _ number: Int) {
        guard let line = AuditLine.read(bytes.span) else {
            if torn != nil { found(file, number - 1, "not a line of the log") }
            torn = SHA256.hash(bytes.span)
            return
        }
        if let torn {
            self.torn = nil
            if Self.mends(bytes, torn) {
                report.notes.append(
                    Finding(file: file, line: number - 1, message: "a torn line: its writer was killed; it was mended"))
            } else {
                found(file, number - 1, "not a line of the log")
            }
        }
        report.lineCount += 1
        if fileBegins == nil {
            fileBegins = line.number
            if let named = AuditFiles.firstNumber(file), named != line.number {
                found(
                    file, number, "begins with line \(line.number), not with line \(named): lines are missing before it"
                )
            }
        }
        if report.first == nil { begin(line, file, number) } else { follow(line, file, number) }
        authenticate(bytes.span, line, file, number)
        let head = AuditHead(number: line.number, hash: line.hash)
        if let anchor, anchor.number == line.number {
            isAnchorSeen = true
            if anchor != head { found(file, number, "line \(line.number) is not the one that was noted elsewhere") }
        }
        last = head
    }

    /// Whether a line says that what has this hash was torn off.
    private static func mends(_ bytes: [UInt8], _ torn: Digest) -> Bool {
        let text = String(decoding: bytes.span)
        return text.contains("\"event\":\"\(AuditEvent.Kind.logMended.rawValue)\"")
            && text.contains("\"sha256\":\"\(torn.hexadecimal)\"")
    }

    private mutating func begin(_ line: AuditLine, _ file: String, _ number: Int) {
        report.first = line.number
        if line.number == 1 {
            if line.previous != AuditLine.beginning { found(file, number, "not the first line of a log") }
        } else {
            report.notes.append(
                Finding(file: file, line: number, message: "begins with line \(line.number); earlier ones are not here")
            )
        }
    }

    private mutating func follow(_ line: AuditLine, _ file: String, _ number: Int) {
        guard let last else { return }
        if line.previous == last.hash, line.number == last.number + 1 { return }
        if line.number > last.number + 1 {
            let gap =
                line.number == last.number + 2
                ? "line \(last.number + 1) is" : "lines \(last.number + 1) to \(line.number - 1) are"
            found(file, number, "\(gap) missing before line \(line.number)")
        } else if line.number <= last.number {
            found(
                file, number, "line \(line.number) stands after line \(last.number): inserted, repeated or out of order"
            )
        } else {
            found(file, number, "the line before, \(last.number), has been changed, or this one was inserted")
        }
    }

    private mutating func authenticate(_ bytes: Span<UInt8>, _ line: AuditLine, _ file: String, _ number: Int) {
        if line.hasMAC { isAuthenticated = true }
        guard let key else { return }
        if line.hasMAC {
            report.authenticated += 1
            if !AuditLine.isAuthentic(bytes, key) {
                found(file, number, "line \(line.number) has been changed, or was not written with this key")
            }
        } else if isAuthenticated {
            found(file, number, "line \(line.number) has no MAC, and lines before it have")
        }
    }

    // MARK: The end

    private mutating func finish() throws(SystemError) {
        if torn != nil { found(AuditFiles.current, 0, "its last line is not one of the log, and was not mended") }
        report.end = last
        let told = try AuditHead.read(directory, key)
        let head = told?.head
        // A head from before the file was begun says nothing of its beginning.
        if let told, let fileBegins, told.head.number >= fileBegins, told.fileBegins < fileBegins {
            found(
                AuditFiles.current, 1,
                "begins with line \(fileBegins), and audit.head says \(told.fileBegins): lines are missing before it")
        }
        if let head, head.number > last?.number ?? 0 {
            found(
                AuditFiles.current, 0,
                "ends with line \(last?.number ?? 0), and audit.head says \(head.number): lines are missing at the end")
        }
        if let head, let last, head.number == last.number, head != last {
            found(AuditFiles.current, 0, "its last line is not the one that audit.head names")
        }
        if head == nil, last != nil {
            let message = "audit.head is missing, or was not written with this key"
            if key == nil || !isAuthenticated {
                report.notes.append(Finding(file: "audit.head", line: 0, message: message))
            } else {
                found("audit.head", 0, message)
            }
        }
        if let anchor, !isAnchorSeen {
            if anchor.number > last?.number ?? 0 {
                found(AuditFiles.current, 0, "ends before line \(anchor.number), which was noted elsewhere")
            } else {
                report.notes.append(
                    Finding(file: AuditFiles.current, line: 0, message: "line \(anchor.number) is not here to compare"))
            }
        }
    }

    private mutating func found(_ file: String, _ line: Int, _ message: String) {
        if report.breaks.count >= Self.breaksMax {
            report.breaksOmitted += 1
        } else {
            report.breaks.append(Finding(file: file, line: line, message: message))
        }
    }
}
