internal import SluiceCore
internal import SluiceJSON

/// `POST /v1/audio/transcriptions` and `/v1/audio/translations`: says which file came and how long it was.
enum TranscriptionReply {
    /// What every file is taken to last.
    private static let seconds = 2

    static func reply(_ form: FormFields, _ behaviour: Behaviour, isTranslation: Bool) throws(APIError) -> Reply {
        let file = try form.fileSize("file")
        let echo = "\(isTranslation ? "translation" : "transcript") of \(file.filename), \(file.byteCount) bytes"
        let text = ReplyText(echo: Array(echo.utf8), behaviour)
        if form.text("stream") == "true", !isTranslation { return Reply(stream(text), .chat) }
        switch form.text("response_format") ?? "json" {
        case "json": return json(text, isTranslation: isTranslation)
        case "verbose_json": return verbose(text, form, isTranslation: isTranslation)
        case "text": return plain(String(decoding: text.bytes.span) + "\n")
        case "srt": return plain("1\n00:00:00,000 --> 00:00:02,000\n\(String(decoding: text.bytes.span))\n\n")
        case "vtt": return plain("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n\(String(decoding: text.bytes.span))\n\n")
        default:
            throw .invalidValue(
                "response_format", "supported values are: 'json', 'text', 'srt', 'verbose_json', and 'vtt'")
        }
    }

    private static func plain(_ text: String) -> Reply { Reply("text/plain; charset=utf-8", .whole(ByteBuffer(text))) }

    private static func json(_ text: ReplyText, isTranslation: Bool) -> Reply {
        Reply { json in
            json.object { json in
                json.member("text", text.bytes.span)
                if isTranslation { return }
                json.key("usage")
                writeUsage(text, &json)
            }
        }
    }

    private static func verbose(_ text: ReplyText, _ form: FormFields, isTranslation: Bool) -> Reply {
        Reply { json in
            json.object { json in
                json.member("task", isTranslation ? "translate" : "transcribe")
                json.member("language", form.text("language") ?? "english")
                json.member("duration", seconds)
                json.member("text", text.bytes.span)
                json.key("segments")
                json.array { json in
                    json.object { json in
                        json.member("id", 0)
                        json.member("start", 0)
                        json.member("end", seconds)
                        json.member("text", text.bytes.span)
                    }
                }
            }
        }
    }

    private static func stream(_ text: ReplyText) -> Script {
        var script = Script()
        script.beginContent()
        var at = 0
        while at < text.bytes.count {
            let end = Tokens.end(in: text.bytes.span, from: at)
            let token = text.bytes[at..<end]
            script.event { buffer in
                var json = JSONWriter(into: buffer)
                json.object { json in
                    json.member("type", "transcript.text.delta")
                    json.key("delta")
                    json.string(token.span)
                }
            }
            at = end
        }
        script.endContent()
        script.beginFinish()
        script.event { buffer in
            var json = JSONWriter(into: buffer)
            json.object { json in
                json.member("type", "transcript.text.done")
                json.member("text", text.bytes.span)
                json.key("usage")
                writeUsage(text, &json)
            }
        }
        script.endFinish()
        return script
    }

    private static func writeUsage(_ text: ReplyText, _ json: inout JSONWriter) {
        json.object { json in
            json.member("type", "tokens")
            json.member("input_tokens", seconds * 10)
            json.member("output_tokens", text.tokenCount)
            json.member("total_tokens", seconds * 10 + text.tokenCount)
        }
    }
}
