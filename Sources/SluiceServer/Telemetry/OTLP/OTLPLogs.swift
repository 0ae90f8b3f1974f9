internal import SluiceCore
internal import SluiceJSON

/// Makes log records of log lines (opentelemetry/proto/logs/v1/logs.proto): the message is the body, and every other field an
/// attribute under the name that it has in the line.
struct OTLPLogs {
    private let tape = JSONTape()
    /// Of one batch.
    private let countMax: Int
    private let byteCountMax: Int
    /// `LogRecord.attributes`.
    private static let attributes = 6

    init(countMax: Int, byteCountMax: Int) {
        self.countMax = countMax
        self.byteCountMax = byteCountMax
    }

    /// The lines in messages, each with the number of its records.
    func messages(_ lines: Span<UInt8>, _ envelope: OTLPEnvelope) -> [(body: [UInt8], records: Int)] {
        var messages: [(body: [UInt8], records: Int)] = []
        let records = ByteBuffer(capacity: 65_536)
        var count = 0
        func close() {
            if count == 0 { return }
            messages.append((envelope.request { $0.buffer.append(records.span) }, count))
            records.removeAll()
            count = 0
        }
        var start = 0
        while let end = lines.firstIndex(of: ASCII.lineFeed, from: start) {
            if write(lines.extracting(start..<end), into: ProtobufWriter(into: records)) { count += 1 }
            start = end + 1
            if count >= countMax || records.count >= byteCountMax { close() }
        }
        close()
        return messages
    }

    /// - Returns: whether it was a line of ours.
    private func write(_ line: Span<UInt8>, into proto: ProtobufWriter) -> Bool {
        guard (try? tape.scan(line)) != nil else { return false }
        let root = tape.root(over: line)
        guard root.isObject else { return false }
        proto.message(2) { record in
            var members = root.members
            while let member = members.next() {
                guard let name = member.key.string else { continue }
                Self.write(name, member.value, into: record)
            }
        }
        return true
    }

    private static func write(_ name: String, _ value: JSONValue, into record: ProtobufWriter) {
        switch name {
        case "@timestamp":
            guard let text = value.escapedBytes, let time = CivilDate.milliseconds(rfc3339: text) else { return }
            record.fixed64(1, UInt64(clamping: time) &* 1_000_000)
            record.fixed64(11, UInt64(clamping: time) &* 1_000_000)
        case "log.level":
            let level = value.string ?? ""
            record.unsigned(2, severity(level))
            record.string(3, level.uppercased())
        case "message": record.message(5) { $0.string(1, value.string ?? "") }
        case "trace.id":
            guard let text = value.escapedBytes, let id = TraceID(text) else { return }
            let bytes = id.bytes
            record.bytes(9, bytes.span)
        case "span.id":
            guard let text = value.escapedBytes, let id = SpanID(text) else { return }
            let bytes = id.bytes
            record.bytes(10, bytes.span)
        default: attribute(name, value, record)
        }
    }

    private static func attribute(_ name: String, _ value: JSONValue, _ record: ProtobufWriter) {
        record.message(attributes) { pair in
            pair.string(1, name)
            pair.message(2) { any in
                if let text = value.string {
                    any.string(1, text)
                } else if let flag = value.bool {
                    any.bool(2, flag)
                } else if let number = value.int {
                    any.int(3, number)
                } else if let number = value.double {
                    any.double(4, number)
                }
            }
        }
    }

    /// `SeverityNumber`.
    private static func severity(_ level: String) -> UInt64 {
        switch LogLevel(rawValue: level) {
        case .debug: 5
        case .info: 9
        case .warn: 13
        case .error: 17
        case nil: 0
        }
    }
}
