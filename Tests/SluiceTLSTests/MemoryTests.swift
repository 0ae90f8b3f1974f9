import Foundation
import SluiceCore
import SluiceTLS
import Testing

@Suite(.serialized) struct `Memory of TLS sessions` {
    @Test func `two thousand sessions leave nothing behind`() async {
        // In a process of its own: what runs beside it uses memory as well.
        await #expect(processExitsWith: .success) {
            let listener = try TLSContext.listener("api")
            let cluster = try TLSContext.cluster()
            try Self.exchange(200, listener, cluster)
            let before = try Self.residentBytes()
            try Self.exchange(2000, listener, cluster)
            let grown = try Self.residentBytes() - before
            #expect(grown < 4 << 20, "grew by \(grown) bytes")
        }
    }

    private static func exchange(_ times: Int, _ listener: TLSContext, _ cluster: TLSContext) throws {
        for index in 0..<times {
            let pair = try SessionPair(listener, cluster)
            pair.run()
            try pair.upstream.send("request".utf8Span.span)
            if index % 2 == 0 { pair.upstream.close() }
            pair.run()
            #expect(pair.atDownstream.count == 7)
        }
    }

    private static func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(fields[1])) * 4096
    }
}
