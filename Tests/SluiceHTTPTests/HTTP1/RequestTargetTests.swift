import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `Request targets` {
    func segments(_ text: String) throws -> [String] {
        let target = try RequestTarget(text.bytes)
        return (0..<target.segmentCount).map { String(decoding: target.segment($0)) }
    }

    @Test func `are split into segments, each decoded once`() throws {
        #expect(try segments("/") == [] && segments("/v1/models") == ["v1", "models"])
        #expect(try segments("/v1/models/?a=/b/") == ["v1", "models"])
        #expect(try segments("/v1/models/meta-llama%2FLlama-3.1%2f8B") == ["v1", "models", "meta-llama/Llama-3.1/8B"])
        #expect(try segments("/%252e%252e/a") == ["%2e%2e", "a"])
        #expect(try segments("//a//b") == ["", "a", "", "b"])
        #expect(try segments("/a.b/...%20/.c") == ["a.b", "... ", ".c"])
        let target = try RequestTarget("/v1/chat/completions/".bytes)
        #expect(target.hasTrailingSlash && target.segment(0, is: "v1") && target.segment(2, is: "completions"))
        #expect(!target.segment(3, is: "") && !target.segment(1, is: "Chat"))
        #expect(try RequestTarget("/".bytes).hasTrailingSlash)
    }

    @Test(arguments: [
        "/..", "/.", "/a/../b", "/a/./b", "/%2e%2e/a", "/.%2E", "/%2e", "/a%2f..%2fb", "/a%2F%2e%2e", "/..%5ca",
        "/a%5C..", "/..;x/a", "/a/..%3b",
        "/..%2f", "/%2f..",
    ])
    func `never step up, in any spelling`(text: String) {
        #expect(throws: RequestTarget.Invalid.dotSegment) { try RequestTarget(text.bytes).segmentCount }
    }

    @Test func `have no control characters, broken encodings or endless segments`() throws {
        for text in ["/%00", "/a%0d%0ab", "/%7f", "/a%1fb"] {
            #expect(throws: RequestTarget.Invalid.encodedControl) { try RequestTarget(text.bytes).segmentCount }
        }
        for text in ["/%", "/%4", "/%4/1", "/%g0", "/a%2"] {
            #expect(throws: RequestTarget.Invalid.malformedEncoding) { try RequestTarget(text.bytes).segmentCount }
        }
        for text in ["", "*", "a", "http://a/"] {
            #expect(throws: RequestTarget.Invalid.notAPath) { try RequestTarget(text.bytes).segmentCount }
        }
        #expect(try segments(String(repeating: "/a", count: 32)).count == 32)
        #expect(throws: RequestTarget.Invalid.tooManySegments) { try segments(String(repeating: "/a", count: 33)) }
    }

    @Test func `have parameters, decoded when asked`() throws {
        let target = try RequestTarget("/a?limit=20&after=a%2Fb+c%21&empty=&bare&x%5B%5D=1&limit=30&=y".bytes)
        #expect(target.parameterText("limit") == "20" && target.parameterText("after") == "a/b c!")
        #expect(
            target.parameterText("empty") == "" && target.parameterText("bare") == ""
                && target.parameterText("x[]") == "1")
        #expect(target.parameter("other") == nil && target.parameter("limi") == nil)
        #expect(try RequestTarget("/a".bytes).parameter("a") == nil && RequestTarget("/a?".bytes).query.isEmpty)
    }

    @Test func `never trap, whatever they are`() {
        let alphabet = Array("/%2e.?&=;+a0F\\#\0".utf8)
        for seed in SplitMix64.seeds(5000) {
            var random = SplitMix64(seed)
            let bytes =
                [UInt8(ascii: "/")]
                + (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            guard let target = try? RequestTarget(bytes) else { continue }
            for index in 0..<target.segmentCount {
                let segment = String(decoding: target.segment(index))
                let parts = segment.split(omittingEmptySubsequences: false) { "/\\;".contains($0) }
                #expect(!parts.contains("..") && !parts.contains("."), "seed \(seed)")
            }
            _ = target.parameter("a")
        }
    }
}
