import Testing

@testable import SluiceTLS

@Suite struct `Choosing by name` {
    @Test func `an exact name comes before a wildcard, and the first certificate before a later one`() {
        var table = IdentityTable()
        table.add(["*.example.com", "a.example.com"], 0)
        table.add(["b.example.com", "a.example.com", "*.example.com", "X.Example.com."], 1)
        #expect(table.index(for: "a.example.com") == 0)
        #expect(table.index(for: "b.example.com") == 1)
        #expect(table.index(for: "c.example.com") == 0)
        #expect(table.index(for: "C.EXAMPLE.COM.") == 0)
        #expect(table.index(for: "x.example.com") == 1)
    }

    @Test(arguments: ["example.com", ".example.com", "a.b.example.com", "", ".", "*", "com", "a.example.com.evil.test"])
    func `a wildcard stands for one label`(name: String) {
        var table = IdentityTable()
        table.add(["*.example.com"], 0)
        #expect(table.index(for: name) == nil)
    }

    @Test func `a name longer than any host name matches nothing`() {
        var table = IdentityTable()
        let long = String(repeating: "a", count: 250)
        table.add(["*.example.com", "\(long).example.com"], 0)
        #expect(table.index(for: "\(long).example.com") == nil)
    }

    @Test(
        arguments: [
            ([2, 0x68, 0x32], 1..<3), ([1, 0x68, 2, 0x68, 0x32], 3..<5), ([2, 0x68], nil), ([], nil), ([0, 0], nil),
            ([255, 0x68, 0x32], nil), ([3, 0x68, 0x32, 0x63], nil), ([0, 2, 0x68, 0x32], 2..<4),
        ] as [([UInt8], Range<Int>?)])
    func `an application protocol is found in a well-formed list only`(offer: [UInt8], found: Range<Int>?) {
        let range = ApplicationProtocol.choose(from: offer.span, by: [.http2])
        #expect(range == found)
    }

    @Test func `the wire format puts each name behind its length`() {
        let bytes = ApplicationProtocol.wireFormat([.http2, .none, .http1])
        #expect(bytes == [2] + Array("h2".utf8) + [8] + Array("http/1.1".utf8))
        let range = ApplicationProtocol.choose(from: bytes.span, by: [.http1, .http2])
        #expect(range == 4..<12)
    }

    @Test(
        arguments: [
            (0, "1970-01-01 00:00 UTC"), (951_782_399, "2000-02-28 23:59 UTC"), (951_782_400, "2000-02-29 00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59 UTC"), (4_107_542_400, "2100-03-01 00:00 UTC"),
            (-1, "1969-12-31 23:59 UTC"),
        ] as [(Int64, String)])
    func `a date is written out`(seconds: Int64, text: String) {
        #expect(CalendarText.minute(seconds) == text)
    }

    @Test func `control messages are allowed as data earns them`() {
        var budget = ControlMessageBudget()
        for _ in 0..<ControlMessageBudget.freeMessagesMax { budget.spend(24) }
        #expect(!budget.isExceeded)
        budget.earn(byCount: ControlMessageBudget.bytesPerMessage)
        budget.spend(24)
        #expect(!budget.isExceeded)
        budget.spend(24)
        #expect(budget.isExceeded)
        budget.earn(byCount: .max)
        #expect(budget.error.kind == .abuse)
    }

    @Test(arguments: [UInt8(0), 1]) func `a renegotiation is the end at once`(kind: UInt8) {
        var budget = ControlMessageBudget()
        budget.spend(kind)
        #expect(budget.isExceeded && budget.error.message.contains("renegotiation"))
    }
}
