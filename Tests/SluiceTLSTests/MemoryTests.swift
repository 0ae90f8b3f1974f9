import Foundation
import SluiceCore
import SluiceTLS
import Testing

@Suite(.serialized) struct `Memory of TLS sessions` {
    @Test func `two thousand sessions leave nothing behind`() throws {
        let listener = try TLSContext.listener("api")
        let cluster = try TLSContext.cluster()
        try exchange(200, listener, cluster)
        let before = try residentBytes()
        try exchange(2000, listener, cluster)
        let grown = try residentBytes() - before
        #expect(grown < 4 << 20, "grew by \(grown) bytes")
    }

    private func exchange(_ times: Int, _ listener: TLSContext, _ cluster: TLSContext) throws {
        for index in 0..<times {
            let pair = try SessionPair(listener, cluster)
            pair.run()
            try pair.upstream.send("request".utf8Span.span)
            if index % 2 == 0 { pair.upstream.close() }
            pair.run()
            #expect(pair.atDownstream.count == 7)
        }
    }

    private func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return try #require(Int(fields[1])) * 4096
    }
}
