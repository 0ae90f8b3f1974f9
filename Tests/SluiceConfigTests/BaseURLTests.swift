import SluiceConfig
import Testing

@Suite struct `A base URL` {
    @Test(arguments: [
        ("https://api.openai.com/v1", "https://api.openai.com/v1", "api.openai.com", 443, "/v1"),
        ("HTTPS://API.OpenAI.com:443/v1/", "https://api.openai.com/v1", "api.openai.com", 443, "/v1"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1:8000", 8000, ""),
        ("http://[::1]:11434/", "http://[::1]:11434", "[::1]:11434", 11434, ""),
        ("http://[2001:DB8::1.2.3.4]/a//", "http://[2001:db8::1.2.3.4]/a", "[2001:db8::1.2.3.4]", 80, "/a"),
        (
            "http://vllm_1.ns.svc.cluster.local./v1", "http://vllm_1.ns.svc.cluster.local./v1",
            "vllm_1.ns.svc.cluster.local.", 80, "/v1"
        ),
        ("https://h/a%20b;c=d/e:f@g", "https://h/a%20b;c=d/e:f@g", "h", 443, "/a%20b;c=d/e:f@g"),
    ])
    func `has one spelling`(text: String, spelling: String, authority: String, port: Int, path: String) throws {
        let url = try BaseURL(text)
        #expect(url.description == spelling)
        #expect(url.authority == authority)
        #expect(url.port == port)
        #expect(url.path == path)
        #expect(try BaseURL(url.description) == url)
    }

    @Test(arguments: [
        "", "api.openai.com", "https:/x", "ftp://x", "https://", "https://:80", "https://u@h", "https://u:p@h/",
        "https://h?x", "https://h/#x",
        "https://h:0", "https://h:65536", "https://h:", "https://h:8x", "https://h:999999", "https://-a",
        "https://a..b", "https://a b", "https://é",
        "https://1.2.3", "https://1.2.3.256", "https://01.2.3.4", "https://[::1", "https://::1", "https://[1::2::3]",
        "https://[:1:2:3:4:5:6:7]",
        "https://[12345::]", "https://[1:2:3:4:5:6:7:8:9]", "https://[1:2:3:4:5:6:7]", "https://[:::]", "https://[]",
        "https://h/a b", "https://h/../x",
        "https://h/a//b", "https://h/./", "https://h/é", "https://h/\\x", "https://h\r\nx: y", "https://h/\0",
    ])
    func `that is anything else is refused`(text: String) {
        #expect(throws: BaseURL.Malformed.self) { try BaseURL(text) }
    }

    @Test(arguments: [
        "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::ffff:1.2.3.4", "fe80::1", "1:2:3:4:5:6:1.2.3.4",
    ])
    func `knows the spellings of an IPv6 address`(text: String) {
        #expect(HostAndPort.isIPv6(text))
    }
}
