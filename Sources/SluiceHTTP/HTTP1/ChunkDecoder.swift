internal import SluiceCore

/// The chunked transfer coding of HTTP/1.1 (RFC 9112 §7.1), read one byte at a time outside the data.
struct ChunkDecoder {
    /// Chunk extensions of a whole body, in bytes: nobody needs them, and they are a way to send for ever.
    private static let extensionBytesMax = 16_384
    private static let sizeDigitsMax = 16

    private enum State {
        case size
        case chunkExtension(ChunkExtension)
        case sizeLineFeed
        case data
        case dataReturn, dataLineFeed
        case trailers
    }
    private var state = State.size
    private var digits = 0
    /// The chunk's size while that is read, then how much of its data is missing.
    private var remaining = 0
    private var extensionBytes = 0
    private var trailers = TrailerReader()
    private let limits: HeadLimits

    init(limits: HeadLimits) { self.limits = limits }

    mutating func next(in bytes: Span<UInt8>, at offset: inout Int) throws(BodyError) -> BodyDecoder.Event? {
        while offset < bytes.count {
            switch state {
            case .data:
                guard let run = BodyDecoder.run(bytes, at: &offset, atMost: remaining) else { return nil }
                remaining -= run.count
                if remaining == 0 { state = .dataReturn }
                return .bytes(run)
            case .trailers:
                guard try trailers.read(bytes, at: &offset, limits: limits) else { return nil }
                return .end(trailers: try trailers.fields(limits: limits))
            case .size, .chunkExtension, .sizeLineFeed, .dataReturn, .dataLineFeed:
                try step(bytes[offset])
                offset += 1
            }
        }
        return nil
    }

    @inline(__always) private mutating func step(_ byte: UInt8) throws(BodyError) {
        switch state {
        case .size:
            try size(byte)
        case .chunkExtension(var part):
            extensionBytes += 1
            if extensionBytes > Self.extensionBytesMax { throw .chunkExtensionsTooLong }
            state = try part.step(byte) ? .sizeLineFeed : .chunkExtension(part)
        case .sizeLineFeed:
            if byte != ASCII.lineFeed { throw .invalidChunkSize }
            state = remaining == 0 ? .trailers : .data
            digits = 0
        case .dataReturn:
            if byte != ASCII.carriageReturn { throw .chunkNotEnded }
            state = .dataLineFeed
        case .dataLineFeed:
            if byte != ASCII.lineFeed { throw .chunkNotEnded }
            state = .size
        case .data, .trailers:
            preconditionFailure("stepped in \(state)")
        }
    }

    private mutating func size(_ byte: UInt8) throws(BodyError) {
        if let digit = byte.hexDigitValue {
            if digits == Self.sizeDigitsMax || remaining > Int.max >> 4 { throw .chunkTooLarge }
            digits += 1
            remaining = remaining << 4 | digit
            return
        }
        if digits == 0 { throw .invalidChunkSize }
        switch byte {
        case ASCII.carriageReturn:
            state = .sizeLineFeed
        case UInt8(ascii: ";"), ASCII.space, ASCII.tab:
            state = .chunkExtension(ChunkExtension(after: byte))
            extensionBytes += 1
            if extensionBytes > Self.extensionBytesMax { throw .chunkExtensionsTooLong }
        default:
            throw .invalidChunkSize
        }
    }
}
