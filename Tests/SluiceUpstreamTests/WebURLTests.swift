import Testing

@testable import SluiceUpstream

@Suite struct `URLs that others wrote` {
    private func read(_ text: String) -> WebURL? { WebURL(text.utf8Span.span) }

    @Test func `are taken apart`() throws {
        let url = try #require(read("HTTPS://Images.Example.com:8443/a/b.png?size=1#top"))
        #expect(url.isSecure && url.host == "images.example.com" && url.port == 8443)
        #expect(String(decoding: url.target, as: UTF8.self) == "/a/b.png?size=1")
    }

    @Test(arguments: [
        ("http://a", "a", 80, "/"), ("https://a?q", "a", 443, "/?q"),
        ("http://[2001:db8::1]:81/x", "2001:db8::1", 81, "/x"),
        ("https://a#/b", "a", 443, "/"),
    ])
    func `have a port and a path where they say none`(text: String, host: String, port: UInt16, target: String) throws {
        let url = try #require(read(text))
        #expect(url.host == host && url.port == port && String(decoding: url.target, as: UTF8.self) == target)
    }

    @Test(arguments: [
        "", "ftp://a/", "file:///etc/passwd", "//a/b", "https://", "https:///path", "https://user@host/",
        "https://user:pw@host/",
        "https://a\\@b/", "https://a b/", "https://a/\r\nHost: b", "https://a\t/", "https://ä/", "https://a:0/",
        "https://a:65536/",
        "https://a:x/", "https://[::1/", "https://a[b]/", "https://%61/", "gopher://a/", "https://a\u{0}b/",
        "https://" + String(repeating: "a", count: 5000),
    ])
    func `that two readers could read in two ways are refused`(text: String) { #expect(read(text) == nil) }
}
