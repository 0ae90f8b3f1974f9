import Foundation

/// A response that is read event by event while it comes.
final class ResponseStream {
    let head: HTTPMessage
    private let wire: Wire
    private let isChunked: Bool
    private var pending = ""
    private var bytes: [UInt8] = []
    private(set) var isEnded = false
    /// Every byte of the body so far.
    private(set) var received: [UInt8] = []

    /// Reads the head.
    init(_ wire: Wire, by deadline: ContinuousClock.Instant = Patience.deadline) throws {
        self.wire = wire
        head = try wire.readResponseHead(by: deadline)
        isChunked = head["transfer-encoding"] == "chunked"
    }

    /// The next event without the empty line that ends it; `nil` at the proper end of the response.
    ///
    /// - Throws: `Wire.Failure` if the response ended without its last chunk.
    func next(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> String? {
        while true {
            if let range = bytes.firstRange(of: Array("\n\n".utf8)) {
                defer { bytes.removeFirst(range.upperBound) }
                return String(decoding: bytes[..<range.lowerBound], as: UTF8.self)
            }
            if try !more(by: deadline) { return nil }
        }
    }

    /// All events up to the proper end.
    func rest(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> [String] {
        var events: [String] = []
        while let event = try next(by: deadline) { events.append(event) }
        return events
    }

    /// All events up to the end, whether it is a proper one or not.
    func untilAnyEnd(by deadline: ContinuousClock.Instant = Patience.deadline) throws -> (events: [String], isClean: Bool) {
        var events: [String] = []
        do {
            while let event = try next(by: deadline) { events.append(event) }
            return (events, true)
        } catch is Wire.Failure {
            return (events, false)
        }
    }

    private func more(by deadline: ContinuousClock.Instant) throws -> Bool {
        if isEnded { return false }
        let piece: [UInt8]
        if isChunked {
            if let chunk = try wire.readChunk(by: deadline) {
                piece = chunk
            } else {
                _ = try wire.readTrailers(by: deadline)
                piece = []
            }
        } else {
            piece = try wire.takeSome(by: deadline)
        }
        isEnded = piece.isEmpty
        received += piece
        bytes += piece
        return !piece.isEmpty
    }
}
