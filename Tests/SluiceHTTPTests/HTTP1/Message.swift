import SluiceCore
import SluiceHTTP

/// A whole message, read as a connection would: head, framing, body. What came of it, in a form that can be compared.
enum Message: Equatable {
    struct Fields: Equatable {
        var lines: [String]
        init(_ fields: HeaderFields) {
            lines = []
            for index in 0..<fields.count {
                lines.append(
                    "\(String(decoding: fields.name(at: index))): \(String(decoding: fields.value(at: index)))")
            }
        }
    }
    struct Whole: Equatable {
        var firstLine: String
        var fields: Fields
        var framing: BodyFraming
        var body: [UInt8]
        var trailers: Fields?
        var byteCount: Int
    }
    case incomplete
    case refused
    case whole(Whole)

    var whole: Whole? { if case .whole(let whole) = self { whole } else { nil } }

    /// Reads a request that arrives in pieces which end at `cuts`, and at the end.
    static func request(_ bytes: [UInt8], cuts: [Int] = []) -> Message {
        var parser = HeadParser()
        return read(bytes, cuts) { (span) throws in
            guard let parsed = try parser.request(in: span) else { return nil }
            let line = "\(parsed.head.method) \(String(decoding: parsed.head.target.span)) \(parsed.head.version)"
            return (line, parsed.head.fields, try BodyFraming.request(parsed.head), parsed.byteCount)
        }
    }

    /// Reads a response to a GET in the same way.
    static func response(_ bytes: [UInt8], cuts: [Int] = []) -> Message {
        var parser = HeadParser()
        return read(bytes, cuts) { (span) throws in
            guard let parsed = try parser.response(in: span) else { return nil }
            let framing = try BodyFraming.response(parsed.head, version: parsed.version, to: .get)
            return ("\(parsed.version) \(parsed.head.status.code)", parsed.head.fields, framing, parsed.byteCount)
        }
    }

    private typealias Head = (line: String, fields: HeaderFields, framing: BodyFraming, byteCount: Int)

    private static func read(_ bytes: [UInt8], _ cuts: [Int], head: (Span<UInt8>) throws -> Head?) -> Message {
        do {
            var ends = cuts.filter { $0 < bytes.count } + [bytes.count]
            while let end = ends.first {
                if let head = try head(bytes.span.extracting(0..<end)) {
                    return .whole(try body(bytes, from: head, ends: ends))
                }
                ends.removeFirst()
            }
            return .incomplete
        } catch is Unfinished {
            return .incomplete
        } catch {
            return .refused
        }
    }

    private struct Unfinished: Error {}

    private static func body(_ bytes: [UInt8], from head: Head, ends: [Int]) throws -> Whole {
        var decoder = BodyDecoder(head.framing)
        var body: [UInt8] = []
        var start = head.byteCount
        for end in ends {
            let piece = bytes.span.extracting(start..<end)
            var offset = 0
            while let event = try decoder.next(in: piece, at: &offset) {
                switch event {
                case .bytes(let range): body += bytes[start + range.lowerBound..<start + range.upperBound]
                case .end(let trailers):
                    return Whole(
                        firstLine: head.line, fields: Fields(head.fields), framing: head.framing, body: body,
                        trailers: trailers.map(Fields.init), byteCount: start + offset)
                }
            }
            start = end
        }
        guard head.framing == .untilClose, try decoder.inputEnded() != nil else { throw Unfinished() }
        return Whole(
            firstLine: head.line, fields: Fields(head.fields), framing: .untilClose, body: body, trailers: nil,
            byteCount: bytes.count)
    }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}

extension Array where Element == UInt8 {
    var text: String { String(decoding: span) }
}
