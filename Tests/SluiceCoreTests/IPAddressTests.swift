import SluiceCore
import Testing

@Suite struct `Internet addresses` {
    @Test func `are read as they are written, and so are networks`() throws {
        #expect(IPAddress("::1")?.low == 1)
        #expect(IPAddress("1:2:3:4:5:6:7:8")?.high == 0x0001_0002_0003_0004)
        #expect(IPAddress("::ffff:1.2.3.4") == IPAddress("1.2.3.4"))
        for wrong in ["", "1.2.3", "1.2.3.256", "1:2", ":::", "1::2::3", "g::", "1.2.3.4.5", "12345::", "+1.2.3.4"] {
            #expect(IPAddress(wrong) == nil, "\(wrong)")
        }
        for wrong in ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "x/8", "10.0.0.0/8/8"] {
            #expect(IPNetwork(wrong) == nil, "\(wrong)")
        }
        let all = try #require(IPNetwork("0.0.0.0/0"))
        #expect(all.contains(try #require(IPAddress("203.0.113.7"))))
        #expect(!all.contains(try #require(IPAddress("2001:db8::1"))))
    }

    @Test func `of version 6 count by networks of 64 bits`() {
        #expect(IPAddress.network(of: "2001:db8:1:2:3::4") == "2001:db8:1:2::/64")
        #expect(IPAddress.network(of: "::ffff:192.0.2.1") == "192.0.2.1")
        #expect(IPAddress.network(of: "192.0.2.1") == "192.0.2.1")
        #expect(IPAddress.network(of: "unix") == "unix")
    }
}
