import SluiceCore
import TestSupport
import Testing

@testable import sluice_bench

@Suite struct `Messages as the load reads them` {
    private struct Read: Equatable {
        var isComplete = false
        var status = 0
        var bodyByteCount = 0
        var eventCount = 0
        var isReusable = true
        var unused = 0
    }

    private static func read(_ text: String, as kind: MessageReader.Kind, every step: Int) throws -> Read {
        let bytes = Array(text.utf8)
        var reader = MessageReader(kind)
        var offset = 0
        while offset < bytes.count && !reader.isComplete {
            let part = Array(bytes[offset..<min(bytes.count, offset + step)])
            offset += try reader.consume(part.span)
        }
        return Read(
            isComplete: reader.isComplete, status: reader.status, bodyByteCount: reader.bodyByteCount,
            eventCount: reader.events.count, isReusable: reader.isReusable, unused: bytes.count - offset)
    }

    @Test func `how a reply was split does not change what it says`() throws {
        let cases: [(text: String, read: Read)] = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Read(isComplete: true, status: 200, bodyByteCount: 5)),
            ("HTTP/1.1 204 No Content\r\nserver: x\r\n\r\n", Read(isComplete: true, status: 204)),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP",
                Read(isComplete: true, status: 200, unused: 4)
            ),
            (
                "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "A;name=value\r\ndata: 1\n\n\n\r\n8\r\n: alive\n\r\n8\r\ndata: 2\n\r\n1\r\n\n\r\n0\r\n\r\n",
                Read(isComplete: true, status: 200, bodyByteCount: 27, eventCount: 2, isReusable: false)
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\ntrailer: 1\r\nother: 2\r\n\r\nY",
                Read(isComplete: true, status: 200, bodyByteCount: 1, unused: 1)
            ),
            (
                "HTTP/1.0 500 Oops\r\ncontent-type: text/plain\r\n\r\nuntil the end",
                Read(status: 500, bodyByteCount: 13, isReusable: false)
            ),
        ]
        for (text, expected) in cases {
            for step in 1...text.utf8.count {
                #expect(try Self.read(text, as: .response, every: step) == expected, "\(step) bytes at a time: \(text)")
            }
        }
    }

    @Test func `a request keeps the start of its body, where the model's name is`() throws {
        let request = ChatRequest(.burst(eventCount: 7))
        var reader = MessageReader(.request)
        let bytes = request.http1(port: 1)
        #expect(try reader.consume(bytes.span) == bytes.count)
        #expect(reader.isComplete)
        #expect(String(decoding: reader.bodyStart, as: UTF8.self).hasPrefix(#"{"model":"bench-burst-7","#))
    }

    @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"])
    func `what is not HTTP is refused`(text: String) {
        #expect(throws: Failure.self) { try Self.read(text, as: .response, every: 64) }
    }

    @Test func `a burst has exactly the events that a client waits for`() throws {
        let behaviour = Behaviour(modelName: Behaviour.burst(eventCount: 25).modelName)
        let text = String(decoding: Replies.chat.burst(eventCount: 25), as: UTF8.self)
        let read = try Self.read(text, as: .response, every: 1_000)
        #expect(read.isComplete && read.eventCount == behaviour.eventCount)
    }
}
