import FuzzSupport
import SluiceCore
import SluiceJSON
import SluiceStorage

/// What is read back of what was stored or sent: lines of the audit log, records as bytes and as JSON.
func check(_ input: Input) {
    if let line = AuditLine.read(input.bytes.span) {
        expect(line.number > 0, "a line without a number")
    }
    readBytes(input.bytes)
    readJSON(input.bytes)
}

private func readBytes(_ bytes: [UInt8]) {
    guard let count = RecordCoding.byteCount(bytes.span) else { return }
    expect(count <= bytes.count, "longer than it is")
    let part = bytes.span.extracting(0..<count)
    guard let decoded = RecordCoding.decode(part) else { return }
    for range in [decoded.parameters, decoded.request, decoded.response] {
        if let range { expect(range.upperBound <= count, "a body beyond the end") }
    }
    let again = ByteBuffer()
    RecordCoding.append(decoded.record, RecordedContent(), to: again)
    expect(RecordCoding.decode(again.span)?.record == decoded.record, "written and read, another record")
}

private func readJSON(_ bytes: [UInt8]) {
    let tape = JSONTape()
    guard (try? tape.scan(bytes.span)) != nil, let (id, origin, record) = RecordJSON.read(tape.root(over: bytes.span))
    else { return }
    let text = ByteBuffer()
    var json = JSONWriter(into: text)
    let attempts: [UInt8] = Array("[]".utf8)
    RecordJSON.write(record, id: id, origin: origin, attempts: attempts.span, parameters: nil, to: &json)
    let other = JSONTape()
    let written = text.span
    guard (try? other.scan(written)) != nil else { fatalError("no JSON") }
    var without = record
    without.attempts = []
    let root = other.root(over: written)
    guard let again = RecordJSON.read(root) else { fatalError("written, and not read") }
    expect(again.id == id && again.record.requestID == record.requestID, "written and read, another record")
    expect(again.record.outcome == without.outcome && again.record.userID == without.userID, "another record")
}
