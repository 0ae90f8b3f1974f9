internal import SluiceCore
internal import SluiceStorage
internal import SluiceTLS

/// What a worker does for a record: makes the bytes and hands them over.
func measureRecords(_ measure: Measure) {
    var record = InvocationRecord()
    record.requestID = "req_0123456789abcdef0123456789abcdef"
    record.userID = "ada"
    record.principalID = "key:billing"
    record.team = "engines"
    record.modelID = "gpt-5.4-mini"
    record.upstreamModel = "gpt-5.4-mini-2026-03-17"
    record.provider = "openai"
    record.route = "/v1/chat/completions"
    record.httpStatus = 200
    record.inputTokens = 300
    record.outputTokens = 120
    var attempt = InvocationRecord.Attempt()
    attempt.provider = record.provider
    attempt.model = record.upstreamModel
    record.attempts = [attempt]
    var content = RecordedContent()
    content.parameters = ByteBuffer(#"{"model":"gpt-5.4-mini","temperature":0.2,"messages":4,"max_tokens":500}"#)
    let buffer = ByteBuffer(capacity: 2048)
    measure("record/encode") {
        buffer.removeAll()
        RecordCoding.append(record, content, to: buffer)
    }
    // Never opened: what is handed over is refused once the queue is full, and taken until then.
    let store = RecordStore(vault: SecretVault())
    measure("record/hand over") { store.append(buffer.span, at: Instant(nanoseconds: 1)) }
    let text = ByteBuffer(String(repeating: "An ordinary sentence with 3 numbers in it, of 2026. ", count: 80))
    let redacted = ByteBuffer(capacity: 8192)
    measure("record/redact 4 KB", bytes: text.count) {
        redacted.removeAll()
        Redactor.redact(text.span, into: redacted)
    }
}
