package import SluiceCore

/// A record in transit from a worker to the writer: one run of bytes, numbers and texts in a fixed order, little
/// endian.
///
/// Both ends are one process; still, whoever reads it checks every length.
package enum RecordCoding {
    /// A text's own length is cut to this: what is longer is a body, or a mistake.
    private static let textByteCountMax = 65_535
    private static let attemptsMax = 64

    // MARK: Writing

    /// Appends a record and its length.
    package static func append(_ record: InvocationRecord, _ content: RecordedContent, to buffer: ByteBuffer) {
        let start = buffer.count
        put(UInt32(0), buffer)
        put(record.requestID, buffer)
        put(record.userID, buffer)
        put(record.principalID, buffer)
        put(record.team, buffer)
        put(record.businessLine, buffer)
        put(record.key, buffer)
        put(record.scene, buffer)
        put(record.modelID, buffer)
        put(record.upstreamModel, buffer)
        put(record.provider, buffer)
        put(record.route, buffer)
        put(record.errorCode, buffer)
        put(record.errorMessage, buffer)
        put(record.errorOwner, buffer)
        put(record.cacheState, buffer)
        buffer.append(record.outcome.rawValue)
        buffer.append(record.usageSource.rawValue)
        buffer.append((record.isStream ? 1 : 0) | (content.isRequestCut ? 2 : 0) | (content.isResponseCut ? 4 : 0))
        let numbers: [11 of Int] = [
            record.httpStatus, record.startTime, record.endTime, record.durationMicros, record.firstByteMicros,
            record.inputTokens, record.outputTokens, record.cachedTokens, record.reasoningTokens, record.totalTokens,
            record.costMicros,
        ]
        put(numbers, buffer)
        let attempts = record.attempts.prefix(attemptsMax)
        buffer.append(UInt8(attempts.count))
        for attempt in attempts { put(attempt, buffer) }
        put(content.parameters, buffer)
        put(content.request, buffer)
        put(content.response, buffer)
        let length = UInt32(buffer.count - start - 4)
        let bytes: [4 of UInt8] = [4 of UInt8] { UInt8(truncatingIfNeeded: length >> UInt32(8 * $0)) }
        buffer.replace(at: start, with: bytes.span)
    }

    private static func put(_ attempt: InvocationRecord.Attempt, _ buffer: ByteBuffer) {
        put(attempt.provider, buffer)
        put(attempt.model, buffer)
        put(attempt.result, buffer)
        let numbers: [5 of Int] = [
            attempt.status, attempt.durationMicros, attempt.inputTokens, attempt.outputTokens, attempt.costMicros,
        ]
        put(numbers, buffer)
    }

    /// All at once: there is one look at whether there is room.
    private static func put<let count: Int>(_ numbers: [count of Int], _ buffer: ByteBuffer) {
        let bytes = [count of Int] { numbers[$0].littleEndian }
        unsafe withUnsafeBytes(of: bytes) { unsafe buffer.append($0) }
    }

    private static func put<Number: FixedWidthInteger>(_ number: Number, _ buffer: ByteBuffer) {
        unsafe withUnsafeBytes(of: number.littleEndian) { unsafe buffer.append($0) }
    }

    private static func put(_ text: String, _ buffer: ByteBuffer) {
        let bytes = text.utf8Span.span
        let count = min(bytes.count, textByteCountMax)
        put(UInt16(count), buffer)
        buffer.append(bytes.extracting(0..<count))
    }

    private static func put(_ bytes: ByteBuffer?, _ buffer: ByteBuffer) {
        guard let bytes else { return put(UInt32.max, buffer) }
        put(UInt32(clamping: bytes.count), buffer)
        buffer.append(bytes.span)
    }

    // MARK: Reading

    /// A record as it was written, and where in its bytes the content stands.
    package struct Decoded {
        package var record = InvocationRecord()
        package var parameters: Range<Int>?
        package var request: Range<Int>?
        package var response: Range<Int>?
        package var isRequestCut = false
        package var isResponseCut = false
    }

    /// How long the record is that these bytes begin with, its length included; `nil` if they are no record.
    package static func byteCount(_ bytes: Span<UInt8>) -> Int? {
        var reader = Reader(bytes)
        guard let length: UInt32 = reader.number(), Int(length) <= bytes.count - 4 else { return nil }
        return Int(length) + 4
    }

    /// - Parameter bytes: exactly one record.
    package static func decode(_ bytes: Span<UInt8>) -> Decoded? {
        var reader = Reader(bytes)
        guard let _: UInt32 = reader.number() else { return nil }
        var decoded = Decoded()
        for field in unsafe texts {
            guard let text = reader.text() else { return nil }
            decoded.record[keyPath: field] = text
        }
        guard let outcome: UInt8 = reader.number(), let source: UInt8 = reader.number(),
            let flags: UInt8 = reader.number(), let known = InvocationRecord.Outcome(rawValue: outcome),
            let usage = InvocationRecord.UsageSource(rawValue: source)
        else { return nil }
        decoded.record.outcome = known
        decoded.record.usageSource = usage
        decoded.record.isStream = flags & 1 != 0
        decoded.isRequestCut = flags & 2 != 0
        decoded.isResponseCut = flags & 4 != 0
        for field in unsafe numbers {
            guard let number: Int = reader.number() else { return nil }
            decoded.record[keyPath: field] = number
        }
        guard let attemptCount: UInt8 = reader.number() else { return nil }
        for _ in 0..<attemptCount {
            guard let attempt = reader.attempt() else { return nil }
            decoded.record.attempts.append(attempt)
        }
        guard let parameters = reader.content(), let request = reader.content(), let response = reader.content(),
            reader.isAtEnd
        else { return nil }
        decoded.parameters = parameters.range
        decoded.request = request.range
        decoded.response = response.range
        return decoded
    }

    nonisolated(unsafe) private static let texts: [WritableKeyPath<InvocationRecord, String>] = [
        \.requestID, \.userID, \.principalID, \.team, \.businessLine, \.key, \.scene, \.modelID, \.upstreamModel,
        \.provider, \.route, \.errorCode, \.errorMessage, \.errorOwner, \.cacheState,
    ]
    nonisolated(unsafe) private static let numbers: [WritableKeyPath<InvocationRecord, Int>] = [
        \.httpStatus, \.startTime, \.endTime, \.durationMicros, \.firstByteMicros, \.inputTokens, \.outputTokens,
        \.cachedTokens, \.reasoningTokens, \.totalTokens, \.costMicros,
    ]

    private struct Content { var range: Range<Int>? }

    private struct Reader: ~Escapable {
        let bytes: Span<UInt8>
        var offset = 0

        @_lifetime(copy bytes)
        init(_ bytes: Span<UInt8>) { self.bytes = bytes }

        var isAtEnd: Bool { offset == bytes.count }

        mutating func number<Number: FixedWidthInteger>() -> Number? {
            let byteCount = Number.bitWidth / 8
            guard bytes.count - offset >= byteCount else { return nil }
            var number = Number.zero
            for index in 0..<byteCount {
                number |= Number(truncatingIfNeeded: bytes[offset + index]) << Number(truncatingIfNeeded: 8 * index)
            }
            offset += byteCount
            return number
        }

        mutating func text() -> String? {
            guard let count: UInt16 = number(), bytes.count - offset >= Int(count) else { return nil }
            defer { offset += Int(count) }
            return String(decoding: bytes.extracting(offset..<offset + Int(count)))
        }

        mutating func content() -> Content? {
            guard let count: UInt32 = number() else { return nil }
            if count == .max { return Content(range: nil) }
            guard bytes.count - offset >= Int(count) else { return nil }
            defer { offset += Int(count) }
            return Content(range: offset..<offset + Int(count))
        }

        mutating func attempt() -> InvocationRecord.Attempt? {
            var attempt = InvocationRecord.Attempt()
            guard let provider = text(), let model = text(), let result = text(), let status: Int = number(),
                let duration: Int = number(), let input: Int = number(), let output: Int = number(),
                let cost: Int = number()
            else { return nil }
            (attempt.provider, attempt.model, attempt.result) = (provider, model, result)
            (attempt.status, attempt.durationMicros) = (status, duration)
            (attempt.inputTokens, attempt.outputTokens, attempt.costMicros) = (input, output, cost)
            return attempt
        }
    }
}
