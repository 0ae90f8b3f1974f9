import Foundation
import Testing

@testable import SluiceMock

/// HTTP/2 by prior knowledge, with a client that is not ours.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")))
struct `The mock over HTTP2` {
    private static func curl(_ mock: TestMock, _ body: String) throws -> (text: String, status: Int32) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        process.arguments = [
            "-sS", "-m", "5", "--http2-prior-knowledge", "-w", "[%{http_version} %{http_code}]", "-d", body,
            "http://127.0.0.1:\(mock.port)/v1/chat/completions",
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (text, process.terminationStatus)
    }

    /// curl's exit status for a stream that was not closed cleanly.
    private static let streamError: Int32 = 92

    @Test func `a stream is whole`() throws {
        let reply = try Self.curl(TestMock(), TestMock.chatBody("m", stream: true))
        #expect(reply.status == 0 && reply.text.hasSuffix("data: [DONE]\n\n[2 200]"))
    }

    @Test func `a cut stream is reset after what it had`() throws {
        let reply = try Self.curl(TestMock(), TestMock.chatBody("m+cut=0.5", stream: true))
        #expect(
            reply.status == Self.streamError && reply.text.contains(#""content":" b""#) && !reply.text.contains("DONE"))
    }

    @Test(arguments: ["reset", "close", "bad-length"])
    func `what breaks a connection resets a stream`(word: String) throws {
        #expect(try Self.curl(TestMock(), TestMock.chatBody("m+\(word)")).status == Self.streamError)
    }

    @Test func `garbage breaks the connection`() throws {
        #expect(try Self.curl(TestMock(), TestMock.chatBody("m+garbage")).status != 0)
    }
}
