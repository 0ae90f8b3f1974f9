internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP

/// A head that is written byte by byte, past the connection's own writer, and the body that then has to be framed here.
enum VerbatimHead {
    static func bytes(_ head: ResponseHead, _ script: Script?) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 1024)
        MessageWriter.response(
            head, framing: script?.announcedByteCount.map { .known($0) } ?? .chunked, to: .http11,
            keepsConnection: true,
            into: buffer)
        return buffer
    }

    static func send(_ bytes: Span<UInt8>, framed: Bool, on exchange: DownstreamExchange) {
        if !framed { return exchange.sendVerbatim(bytes) }
        let chunk = ByteBuffer(capacity: bytes.count + 16)
        MessageWriter.chunkHead(bytes.count, into: chunk)
        chunk.append(bytes)
        MessageWriter.chunkTail(into: chunk)
        exchange.sendVerbatim(chunk.span)
    }

    static func end(on exchange: DownstreamExchange) {
        let chunk = ByteBuffer(capacity: 16)
        MessageWriter.lastChunk(into: chunk)
        exchange.sendVerbatim(chunk.span)
    }
}
