import SluiceCore
import SluiceHTTP
import TestSupport
import Testing

@Suite struct `URL-encoded forms` {
    func fields(_ text: String) throws -> [[String]] {
        let form = try URLEncodedForm(text.bytes.span)
        return (0..<form.count).map { [String(decoding: form.name(at: $0)), String(decoding: form.value(at: $0))] }
    }

    @Test func `are decoded as browsers encode them`() throws {
        #expect(
            try fields("model=gpt-4o&parameters%5Bprompt%5D=a+b%26c&x=%E4%BD%A0") == [
                ["model", "gpt-4o"], ["parameters[prompt]", "a b&c"], ["x", "\u{4F60}"],
            ])
        #expect(
            try fields("") == [] && fields("&&") == [] && fields("a") == [["a", ""]]
                && fields("=b&c==d") == [["", "b"], ["c", "=d"]])
        #expect(try fields("a=%&b=%4&c=%zz&d=%41%") == [["a", "%"], ["b", "%4"], ["c", "%zz"], ["d", "A%"]])
        let form = try URLEncodedForm("a=1&b=2&a=3".bytes.span)
        #expect(form.text("a") == "1" && form.text("b") == "2" && form.text("c") == nil)
    }

    @Test func `have a bound on their fields`() throws {
        #expect(try fields(String(repeating: "a=b&", count: 1000)).count == 1000)
        #expect(throws: FormError.tooManyFields) { try fields(String(repeating: "a=b&", count: 1001)) }
        #expect(FormError.tooManyFields.status == 413)
    }
}

@Suite struct `Multipart forms` {
    struct Part: Equatable {
        var name: String
        var body: String
        var filename: String?
        var contentType: String?
    }

    func parts(_ body: String, type: String = "multipart/form-data; boundary=AaB03x") throws -> [Part] {
        let bytes = body.bytes
        return try MultipartForm(bytes.span, contentType: type.bytes.span).parts.map {
            Part(
                name: $0.name.text, body: Array(bytes[$0.body]).text, filename: $0.filename?.text,
                contentType: $0.contentType?.text)
        }
    }

    func field(_ name: String, _ body: String) -> String {
        "--AaB03x\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(body)\r\n"
    }

    @Test func `are read as RFC 7578 shows them`() throws {
        let body = """
            --AaB03x\r
            content-disposition: form-data; name="model"\r
            \r
            whisper-1\r
            --AaB03x\r
            Content-Disposition: form-data; name="file"; filename="a \\"b\\" \u{4F60}.wav"\r
            Content-Type: audio/wav\r
            \r
            RIFF\r\n--AaB03\r\n\r
            --AaB03x--\r

            """
        #expect(
            try parts(body) == [
                Part(name: "model", body: "whisper-1"),
                Part(
                    name: "file", body: "RIFF\r\n--AaB03\r\n", filename: "a \"b\" \u{4F60}.wav",
                    contentType: "audio/wav"),
            ])
        let bytes = body.bytes
        let form = try MultipartForm(
            bytes.span, contentType: "Multipart/Form-Data; charset=utf-8; boundary=\"AaB03x\"".bytes.span)
        #expect(
            form.part(named: "model").map { Array(bytes[$0.body]).text } == "whisper-1" && form.part(named: "x") == nil)
    }

    @Test func `may have preamble, epilogue, padding and empty parts`() throws {
        #expect(
            try parts("preamble\r\n" + field("a", "1") + "--AaB03x--epilogue\r\n--AaB03x\r\n") == [
                Part(name: "a", body: "1")
            ])
        #expect(
            try parts("--AaB03x \t\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--AaB03x--") == [
                Part(name: "a", body: "")
            ])
        #expect(
            try parts("--AaB03x\r\nContent-Disposition: form-data; name=a\r\n\r\n--AaB03x--") == [
                Part(name: "a", body: "")
            ])
        #expect(try parts("--AaB03x--") == [])
        #expect(
            try parts(field("a", "\r\n--\r\n-AaB03x\n--AaB03x") + "--AaB03x--") == [
                Part(name: "a", body: "\r\n--\r\n-AaB03x\n--AaB03x")
            ])
        #expect(try parts(field("C:\\x", "1") + "--AaB03x--") == [Part(name: "C:\\x", body: "1")])
    }

    @Test func `that are malformed are refused for what is wrong`() {
        let end = "--AaB03x--"
        let refused: [(String, FormError)] = [
            ("", .truncated), ("no boundary", .truncated), (field("a", "1"), .truncated), ("--AaB03x\r\n", .truncated),
            ("--AaB03x", .truncated),
            ("--AaB03x\r\nContent-Disposition: form-data; name=a\r\n", .truncated),
            ("--AaB03xy\r\n\r\n" + end, .malformedDelimiter),
            ("--AaB03x\r\n\r\n1\r\n" + end, .missingName),
            ("--AaB03x\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n" + end, .missingName),
            ("--AaB03x\r\nContent-Disposition: form-data\r\n\r\n\r\n" + end, .missingName),
            ("--AaB03x\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n" + end, .missingName),
            ("--AaB03x\r\nX : 1\r\n\r\n\r\n" + end, .malformedPartHead),
            ("--AaB03x\r\nX\nY: 1\r\n\r\n\r\n" + end, .malformedPartHead),
            ("--AaB03x\r\nX: \(String(repeating: "x", count: 9000))\r\n\r\n\r\n" + end, .partHeadTooLarge),
        ]
        for (body, error) in refused { #expect(throws: error, "\(body)") { try parts(body) } }
    }

    @Test func `have bounds on parts and boundary`() throws {
        #expect(try parts(String(repeating: field("a", "1"), count: 256) + "--AaB03x--").count == 256)
        #expect(throws: FormError.tooManyParts) {
            try parts(String(repeating: field("a", "1"), count: 257) + "--AaB03x--")
        }
        let long = String(repeating: "b", count: 70)
        #expect(try parts("--\(long)--", type: "multipart/form-data; boundary=\(long)") == [])
        for type in ["\(long)b", "\"\"", "\"a \"", "a\u{E9}", "\"a@b\""] {
            #expect(throws: FormError.invalidBoundary, "\(type)") {
                try parts("--a--", type: "multipart/form-data; boundary=\(type)")
            }
        }
        for type in [
            "multipart/form-data", "multipart/mixed; boundary=a", "application/json", "",
            "multipart/form-data; boundary", "multipart/form-data; boundary=",
        ] {
            #expect(throws: FormError.missingBoundary, "\(type)") { try parts("--a--", type: type) }
        }
    }

    @Test func `of near misses cost time in proportion to their size`() throws {
        // LiteLLM CVE-2024-8984: a parser that backs up at each near miss would take hours here.
        let misses = String(repeating: "\r\n--AaB03", count: 100_000) + String(repeating: "\r", count: 200_000)
        #expect(try parts(field("a", misses) + "--AaB03x--").first?.body.utf8.count == misses.utf8.count)
    }

    @Test func `never trap, whatever they are`() {
        let whole =
            (field("a", "1")
            + "--AaB03x\r\nContent-Disposition: form-data; name=\"f\"; filename=x\r\n\r\n\r\n--AaB03x--").bytes
        for seed in SplitMix64.seeds(3000) {
            var random = SplitMix64(seed)
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[at] = UInt8.random(in: 0...255, using: &random)
                } else {
                    bytes.remove(at: at)
                }
            }
            let type = "multipart/form-data; boundary=AaB03x".bytes
            guard let form = try? MultipartForm(bytes.span, contentType: type.span) else { continue }
            for part in form.parts {
                #expect(
                    part.body.lowerBound <= part.body.upperBound && part.body.upperBound <= bytes.count, "seed \(seed)")
            }
        }
    }
}
