import Foundation
import SluiceCore
import TestSupport
import Testing

@Suite struct `Dates` {
    private func text(_ seconds: Int, _ append: (CivilDate, ByteBuffer) -> Void) -> String {
        let buffer = ByteBuffer()
        append(CivilDate(secondsSince1970: seconds), buffer)
        return buffer.text
    }

    @Test(arguments: [
        (0, "19700101T000000Z", "1970-01-01T00:00:00Z"), (951_782_400, "20000229T000000Z", "2000-02-29T00:00:00Z"),
        (1_767_225_599, "20251231T235959Z", "2025-12-31T23:59:59Z"), (-5, "19700101T000000Z", "1970-01-01T00:00:00Z"),
        (Int.max, "99991231T235959Z", "9999-12-31T23:59:59Z"),
    ])
    func `a second is spelled`(seconds: Int, basic: String, extended: String) {
        #expect(text(seconds) { $0.appendBasic(to: $1) } == basic)
        #expect(text(seconds) { $0.append(to: $1) } == extended)
        #expect(text(seconds) { $0.appendBasicDay(to: $1) } == basic.prefix(8))
        #expect(text(seconds) { $0.appendDay(to: $1) } == extended.prefix(10))
    }

    @Test func `what is written reads as the same second`() {
        for seed in SplitMix64.seeds(2_000) {
            var random = SplitMix64(seed)
            let seconds = Int.random(in: 0...CivilDate.secondsMax, using: &random)
            let date = CivilDate(secondsSince1970: seconds)
            #expect(date.secondsSince1970 == seconds)
            let written = text(seconds) { $0.append(to: $1) }
            #expect(CivilDate.milliseconds(rfc3339: written.utf8Span.span) == seconds * 1000, "seed \(seed)")
        }
    }

    @Test(arguments: [
        ("2026-11-20T12:40:59Z", 1_795_178_459_000), ("2026-11-20t12:40:59.25z", 1_795_178_459_250),
        ("2026-11-20T13:40:59+01:00", 1_795_178_459_000), ("2026-11-20T12:10:59.1239-00:30", 1_795_178_459_123),
        ("2026-11-20 12:40:59Z", 1_795_178_459_000), ("2026-12-31T23:59:60Z", 1_798_761_599_000),
    ])
    func `RFC 3339 is read`(text: String, milliseconds: Int) {
        #expect(CivilDate.milliseconds(rfc3339: text.utf8Span.span) == milliseconds)
    }

    @Test(arguments: [
        "", "2026-11-20", "2026-11-20T12:40:59", "2026-13-20T12:40:59Z", "2026-02-29T12:40:59Z",
        "2026-11-20T24:00:00Z", "2026-11-20T12:40:59.Z", "2026-11-20T12:40:59Zx", "2026-11-20T12:40:59+1:00",
        "2026/11/20T12:40:59Z", "0000-11-20T12:40:59Z", "2026-11-31T12:40:59Z", "2026-11-20T12:40:59+24:00",
    ])
    func `what is not RFC 3339 is not read`(text: String) {
        #expect(CivilDate.milliseconds(rfc3339: text.utf8Span.span) == nil)
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 2026 00:00:00 GMT", 1_767_225_600),
        ("Thursday, 01-Jan-26 00:00:00 GMT", 1_767_225_600),
    ])
    func `the three forms of an HTTP date are read`(text: String, seconds: Int) {
        #expect(CivilDate.seconds(http: text.utf8Span.span) == seconds)
    }

    @Test func `bytes that are no date neither trap nor read as one`() {
        let forms = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        for seed in SplitMix64.seeds(2_000) {
            var random = SplitMix64(seed)
            var bytes = Array(forms.randomElement(using: &random)!.utf8)
            bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            if let seconds = CivilDate.seconds(http: bytes.span) { #expect(seconds <= CivilDate.secondsMax) }
            _ = CivilDate.milliseconds(rfc3339: bytes.span)
        }
        #expect(CivilDate.seconds(http: "Sun, 31 Feb 1994 08:49:37 GMT".utf8Span.span) == nil)
        #expect(CivilDate.seconds(http: "Sun, 06 Nov 1994 08:49:37 PST".utf8Span.span) == nil)
        #expect(CivilDate.seconds(http: "Sun, 06 Now 1994 08:49:37 GMT".utf8Span.span) == nil)
    }
}
