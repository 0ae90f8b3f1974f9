import SluiceCore
import SluiceTLS
import Testing

@Suite struct `A peer that misuses TLS` {
    private func connected(_ options: String) throws -> ToolClient {
        let client = try ToolClient(.listener("api"), options)
        while !client.session.isEstablished { try #require(try client.step()) }
        client.type("hello\n")
        while client.received.isEmpty { try #require(try client.step()) }
        #expect(client.received.text == "hello\n")
        return client
    }

    @Test func `is cut when it asks to renegotiate`() throws {
        let client = try connected("-tls1_2")
        client.type("R\n")
        #expect { while try client.step() {} } throws: {
            let error = $0 as? TLSError
            return error?.kind == .abuse && error?.message.contains("renegotiation") == true
        }
    }

    @Test func `may update its keys a few times, but is cut when it goes on`() throws {
        let client = try connected("-tls1_3")
        var updates = 0
        #expect {
            while updates < 100 {
                client.type("K\n")
                updates += 1
                try #require(try client.step())
            }
        } throws: { ($0 as? TLSError)?.kind == .abuse }
        #expect(updates == 33)
    }
}
