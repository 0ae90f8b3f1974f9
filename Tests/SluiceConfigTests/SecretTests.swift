import Foundation
import SluiceConfig
import SluiceCore
import TestSupport
import Testing

@Suite struct `A secret` {
    static let text = "sk-Xq7-very-secret"
    struct Holder { var name = "n", key = Secret(A_secret.text), more: [Secret?] = [Secret(A_secret.text)] }
    typealias A_secret = `A secret`

    @Test func `shows nothing of itself, alone or inside something else`() {
        let secret = Secret(Self.text)
        var dumped = ""
        dump(secret, to: &dumped)
        dump(Holder(), to: &dumped)
        let parsed = try? ConfigText.parse("{api_key: '\(Self.text)', list: ['\(Self.text)']}")
        dump(parsed, to: &dumped)
        let shown = [
            "\(secret)", String(describing: secret), String(reflecting: secret), "\(Optional(secret) as Any)",
            "\(Holder())",
            "\([secret])", "\(["k": secret])", String(reflecting: Holder()),
            "\(Mirror(reflecting: secret).children.map(\.value))",
            "\(parsed as Any)", String(reflecting: parsed), "\(parsed!.kind)", dumped,
        ]
        for text in shown {
            #expect(!text.contains(Self.text) && !text.contains("Xq7") && !text.contains("115, 107"), "\(text)")
        }
        #expect("\(secret)" == "<secret>")
    }

    @Test func `is equal to the same bytes only`() {
        #expect(Secret("abc") == Secret("abc"))
        for other in ["abd", "ab", "abcd", "", "abc\0"] { #expect(Secret("abc") != Secret(other), "\(other)") }
        #expect(Secret("") == Secret(""))
        let isMatch = Secret("abc").matches("abc".utf8Span.span)
        #expect(isMatch)
        #expect(Secret("abc").withExposed { $0.count } == 3)
    }

    @Test func `is in no error that a configuration with it can cause`() {
        let key = Self.text
        let environment = ConfigEnvironment.fixed(
            variables: ["KEY": key], files: ["/key": Array((key + "\n").utf8)])
        let values = [
            "'\(key)'", "'${KEY}'", "'file:/key'", "'env:KEY'", "['\(key)', {}]", "{a: '\(key)'}", key, "'\(key)",
            "['${KEY}', 'file:/none']",
        ]
        for value in values {
            let errors = `A configuration section`.errors("{k: \(value), x: \(value)}", environment) { section in
                _ = section.value("k", .secret(allowed: "digits") { $0.count == 1 }, default: Secret(""), doc: "")
                _ = section.integer("y", default: 0, in: 0...1, doc: "")
            }
            #expect(!errors.isEmpty && !errors.contains("Xq7"), "\(errors)")
        }
        for url in [
            "https://user:\(key)@host/", "https://host/?key=\(key)", "https://host/#\(key)", "${KEY}",
            "https://${KEY}@h",
        ] {
            let errors = `A configuration section`.errors("{u: '\(url)'}", environment) { _ = $0.url("u", doc: "") }
            #expect(!errors.isEmpty && !errors.contains("Xq7"), "\(errors)")
        }
    }
}
