internal import SluiceCore
package import SluiceHTTP

/// A whole HTTP/1 message as a connection would read it, piece by piece, and what came of it.
package enum Message: Equatable {
    package struct Whole: Equatable {
        package var firstLine: String
        package var fields: [String]
        package var framing: BodyFraming
        package var body: [UInt8]
        package var trailers: [String]
        package var byteCount: Int

        package init(
            firstLine: String = "", fields: [String] = [], framing: BodyFraming, body: [UInt8], trailers: [String],
            byteCount: Int
        ) {
            self.firstLine = firstLine
            self.fields = fields
            self.framing = framing
            self.body = body
            self.trailers = trailers
            self.byteCount = byteCount
        }
    }
    case incomplete, refused
    case whole(Whole)

    package typealias Head = (line: String, fields: HeaderFields, framing: BodyFraming, byteCount: Int)

    /// For what was written from a message at the limits: a field more, and longer lines.
    package static let roomy = {
        var limits = HeadLimits()
        limits.headBytesMax = 1 << 20
        limits.fieldCountMax = 1000
        return limits
    }()

    package static func request(_ bytes: [UInt8], cuts: [Int], limits: HeadLimits = HeadLimits()) -> Message {
        var parser = HeadParser(limits: limits)
        return read(bytes, cuts) { (span) throws in
            guard let parsed = try parser.request(in: span) else { return nil }
            let head = parsed.head
            let line = "\(head.method.name) \(String(decoding: head.target.span)) \(head.version) \(head.authority)"
            return (line, head.fields, try BodyFraming.request(head), parsed.byteCount)
        }
    }

    package static func response(_ bytes: [UInt8], cuts: [Int], limits: HeadLimits = HeadLimits()) -> Message {
        var parser = HeadParser(limits: limits)
        return read(bytes, cuts) { (span) throws in
            guard let parsed = try parser.response(in: span) else { return nil }
            let framing = try BodyFraming.response(parsed.head, version: parsed.version, to: .get)
            return ("\(parsed.version) \(parsed.head.status.code)", parsed.head.fields, framing, parsed.byteCount)
        }
    }

    package static func lines(_ fields: borrowing HeaderFields) -> [String] {
        (0..<fields.count).map { "\(String(decoding: fields.name(at: $0))): \(String(decoding: fields.value(at: $0)))" }
    }

    /// A body in pieces.
    ///
    /// - Returns: `nil` if it did not end.
    package static func body(
        _ bytes: [UInt8], from start: Int, _ framing: BodyFraming, cuts: [Int]
    ) throws(BodyError) -> (body: [UInt8], trailers: [String], end: Int)? {
        var decoder = BodyDecoder(framing)
        var body: [UInt8] = []
        var start = start
        for end in cuts where end >= start {
            let piece = bytes.span.extracting(start..<end)
            var offset = 0
            while let event = try decoder.next(in: piece, at: &offset) {
                switch event {
                case .bytes(let range): body += bytes[start + range.lowerBound..<start + range.upperBound]
                case .end(let trailers): return (body, trailers.map { lines($0) } ?? [], start + offset)
                }
            }
            expect(offset == piece.count, "the decoder left bytes")
            start = end
        }
        guard framing == .untilClose else { return nil }
        _ = try decoder.inputEnded()
        return (body, [], bytes.count)
    }

    private static func read(_ bytes: [UInt8], _ cuts: [Int], head: (Span<UInt8>) throws -> Head?) -> Message {
        do {
            for end in cuts {
                guard let head = try head(bytes.span.extracting(0..<end)) else { continue }
                expect(head.byteCount <= end, "a head of more bytes than there are")
                let later = cuts.filter { $0 >= end }
                guard let found = try body(bytes, from: head.byteCount, head.framing, cuts: later) else {
                    return .incomplete
                }
                return .whole(
                    Whole(
                        firstLine: head.line, fields: lines(head.fields), framing: head.framing, body: found.body,
                        trailers: found.trailers, byteCount: found.end))
            }
            return .incomplete
        } catch {
            return .refused
        }
    }
}
