import SluiceNet
import Testing

@Suite struct `Addresses of the public internet` {
    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.128.0.1", "223.255.255.254", "2606:4700::1111",
        "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
    ])
    func `are public`(text: String) throws { #expect(try #require(SocketAddress(ip: text, port: 443)).isPublic) }

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1",
        "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "64:ff9b::a00:1", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "2002:a00:1::1", "2002:7f00:1::1", "2001:db8::1", "2001::1", "2001:10::1", "fc00::1", "fd12:3456::1",
        "fe80::1", "fec0::1", "ff02::1", "100::1", "4000::1",
    ])
    func `others are not`(text: String) throws { #expect(try !#require(SocketAddress(ip: text, port: 443)).isPublic) }

    @Test func `a unix socket is not`() { #expect(!SocketAddress.unix("/run/x.sock").isPublic) }
}
