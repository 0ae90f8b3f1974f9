internal import SluiceCore
internal import SluiceJSON
internal import SluiceTLS

/// `POST /v1/audio/speech`: silence, as WAV whatever the format that was asked for, in pieces.
enum SpeechReply {
    private static let inputByteCountMax = 4096 * 4
    private static let sampleRate = 8000
    /// A piece is a quarter of a second.
    private static let samplesPerPiece = 2000
    private static let piecesByDefault = 4

    static func reply(_ root: JSONValue, _ behaviour: Behaviour) throws(APIError) -> Reply {
        let input = try root.required("input")
        if input.isEmpty || input.utf8.count > inputByteCountMax {
            throw .invalidValue("input", "1 to 4096 characters")
        }
        guard root.given("voice") != nil else { throw .missing("voice") }
        try root.check("speed", in: 0.25...4)
        let contentType = try contentType(root.text("response_format") ?? "mp3")
        let count = min(behaviour.tokens ?? piecesByDefault, 1000)
        if try root.text("stream_format") == "sse" { return Reply(events(count, input), .named) }
        var script = Script(capacity: count * samplesPerPiece + 64)
        script.beginContent()
        for index in 0..<count { script.piece { write(piece: index, of: count, to: $0) } }
        script.endContent()
        return Reply(contentType, .script(script))
    }

    private static func contentType(_ format: String) throws(APIError) -> StaticString {
        switch format {
        case "mp3": "audio/mpeg"
        case "opus": "audio/opus"
        case "aac": "audio/aac"
        case "flac": "audio/flac"
        case "wav": "audio/wav"
        case "pcm": "audio/pcm"
        default:
            throw .invalidValue(
                "response_format", "supported values are: 'mp3', 'opus', 'aac', 'flac', 'wav', and 'pcm'")
        }
    }

    private static func events(_ count: Int, _ input: String) -> Script {
        var script = Script(capacity: count * samplesPerPiece * 2)
        script.beginContent()
        for index in 0..<count {
            let piece = ByteBuffer(capacity: samplesPerPiece + 64)
            write(piece: index, of: count, to: piece)
            script.event("speech.audio.delta") { buffer in
                var json = JSONWriter(into: buffer)
                json.object { json in
                    json.member("type", "speech.audio.delta")
                    json.member("audio", Base64.encode(piece.span))
                }
            }
        }
        script.endContent()
        script.beginFinish()
        script.event("speech.audio.done") { buffer in
            let (text, audio) = (Tokens.estimate(byteCount: input.utf8.count), count * 5)
            var json = JSONWriter(into: buffer)
            json.object { json in
                json.member("type", "speech.audio.done")
                json.key("usage")
                json.object { json in
                    json.member("input_tokens", text)
                    json.member("output_tokens", audio)
                    json.member("total_tokens", text + audio)
                }
            }
        }
        script.endFinish()
        return script
    }

    /// The first piece begins with the header of a WAV file (RIFF, 8-bit mono PCM); all have samples of silence.
    private static func write(piece index: Int, of count: Int, to buffer: ByteBuffer) {
        if index == 0 { writeHeader(sampleCount: count * samplesPerPiece, to: buffer) }
        for _ in 0..<samplesPerPiece { buffer.append(0x80) }
    }

    private static func writeHeader(sampleCount: Int, to buffer: ByteBuffer) {
        func append(_ number: Int, bytes: Int) {
            for shift in 0..<bytes { buffer.append(UInt8(truncatingIfNeeded: number >> (shift * 8))) }
        }
        buffer.append("RIFF")
        append(36 + sampleCount, bytes: 4)
        buffer.append("WAVEfmt ")
        append(16, bytes: 4)
        append(1, bytes: 2)
        append(1, bytes: 2)
        append(sampleRate, bytes: 4)
        append(sampleRate, bytes: 4)
        append(1, bytes: 2)
        append(8, bytes: 2)
        buffer.append("data")
        append(sampleCount, bytes: 4)
    }
}
