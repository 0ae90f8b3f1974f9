import Foundation
import SluiceCore
import Testing

@Suite struct `Streams with every oddity of the format` {
    private static let long = String(repeating: "Lorem ipsum é 😀 ", count: 8000)

    static let bodies = [
        // Every line end there is, mixed.
        "data: \(Sample.delta("a"))\r\n\r\ndata: \(Sample.delta("b"))\r\r"
            + "data: \(Sample.finish)\n\ndata: [DONE]\r\n\r\n",
        // Comments between, before and inside of events, no space after the colon, and a field twice.
        ": first\n\n:\n\nevent: x\nevent: message\nid: 1\nid: 2\nretry: 5\nretry: x\n"
            + "data:\(Sample.delta("a"))\n: inside\n\n"
            + "data: \(Sample.finish)\n\n: last\n\ndata: [DONE]\n\n",
        // A byte order mark, data over several lines, a line without a colon, an unknown field.
        "\u{FEFF}data: {\"choices\":\ndata: []}\n\nunheard-of\nnobody: knows\ndata: \(Sample.delta("é😀"))\n\n"
            + "data: \(Sample.finish)\n\ndata: [DONE]\n\n",
        // A line of a quarter of a megabyte, of characters that a cut may fall into.
        "data: \(Sample.delta(long))\n\ndata: \(Sample.finish)\n\ndata: [DONE]\n\n",
    ]

    @Test(arguments: bodies.indices)
    func `say the same however their bytes are cut`(index: Int) throws {
        let body = Array(Self.bodies[index].utf8)
        let upstream = try ScriptedUpstream { connection, request in
            try connection.startStream()
            let seed = request.json["seed"].int ?? 0
            var random = SplitMix64(UInt64(seed))
            var start = 0
            while start < body.count {
                let byteCount = seed == 0 ? body.count : Int.random(in: 1...max(3, body.count / 40), using: &random)
                try connection.chunk(Array(body[start..<min(body.count, start + byteCount)]))
                start += byteCount
            }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for options in ["", #","stream_options":{"include_usage":true}"#] {
                var whole: [UInt8] = []
                for seed in 0...30 {
                    try wire.ask(
                        "POST", "/v1/chat/completions", [],
                        #"{"model":"m","messages":[],"stream":true,"seed":\#(seed)\#(options)}"#)
                    let received = try wire.readResponse().body
                    if seed == 0 { whole = received }
                    #expect(received == whole, "seed \(seed)")
                    #expect(String(decoding: received, as: UTF8.self).contains("[DONE]"))
                }
                // What the application asked for is what it gets; a byte order mark is no part of it.
                if !options.isEmpty { #expect(whole == body || whole == Array(body.dropFirst(3))) }
            }
        }
    }
}
