internal import SluiceCore
internal import SluiceJSON

func measureJSON(_ measure: Measure) {
    let small = JSONSamples.chatRequest(prompt: "What is the capital of France? Answer in one word.")
    let english = String(repeating: "The quick brown fox jumps over the lazy dog, again and again. ", count: 530)
    let lines = String(repeating: #"Line after line of text, of sixty or seventy characters each, \n"#, count: 512)
    let chinese = String(repeating: "请用简洁的语言总结下面这篇文章的主要内容，", count: 520)
    let documents = [
        ("300 B chat request", small), ("200 B SSE chunk", JSONSamples.streamChunk),
        ("600 B chat reply", JSONSamples.chatReply), ("32 KB prompt", JSONSamples.chatRequest(prompt: english)),
        ("32 KB prompt with \\n", JSONSamples.chatRequest(prompt: lines)),
        ("32 KB Chinese prompt", JSONSamples.chatRequest(prompt: chinese)),
        ("1000 floats", JSONSamples.floats(1000)),
    ]
    for (name, text) in documents {
        let buffer = ByteBuffer(text)
        let tape = JSONTape()
        measure("json/scan/" + name, bytes: buffer.count) {
            scan(buffer, tape)
        }
    }
    measureReading(measure, ByteBuffer(small))
    measureEdits(measure, ByteBuffer(JSONSamples.chatRequest(prompt: english)))
    measureWriting(measure, english)
}

private func measureReading(_ measure: Measure, _ request: ByteBuffer) {
    let tape = JSONTape()
    scan(request, tape)
    measure("json/read/one member") {
        let root = tape.root(over: request.span)
        keep(root["model"]?.equals("gpt-4o-mini") ?? false)
    }
    measure("json/read/all members of a request") {
        var members = tape.root(over: request.span).members
        var found = 0
        while let member = members.next() {
            if member.isNamed("stream") { found += member.value.bool == true ? 1 : 0 }
            if member.isNamed("max_tokens") { found += member.value.int ?? 0 }
            if member.isNamed("messages") { found += member.value.count }
        }
        keep(found)
    }
    let chunk = ByteBuffer(JSONSamples.streamChunk)
    let chunkTape = JSONTape()
    measure("json/read/SSE chunk, scan and delta", bytes: chunk.count) {
        scan(chunk, chunkTape)
        let root = chunkTape.root(over: chunk.span)
        keep(root["choices"]?[0]?["delta"]?["content"]?.range.count ?? 0)
        keep(root["usage"]?.isNull ?? true)
    }
}

private func measureEdits(_ measure: Measure, _ request: ByteBuffer) {
    let tape = JSONTape()
    scan(request, tape)
    var edits = JSONEdits()
    measure("json/edit/model and stream_options") {
        let root = tape.root(over: request.span)
        edits.removeAll()
        edits.set("model", in: root) { $0.string("claude-sonnet-4" as StaticString) }
        edits.set("stream_options", in: root) {
            $0.object {
                $0.key("include_usage")
                $0.bool(true)
            }
        }
        keep(edits.splices(over: root).byteCount)
    }
}

private func measureWriting(_ measure: Measure, _ english: String) {
    let buffer = ByteBuffer(capacity: 1 << 16)
    measure("json/write/SSE chunk", bytes: 200) {
        buffer.removeAll()
        var writer = JSONWriter(into: buffer)
        JSONSamples.writeStreamChunk(&writer)
    }
    let prompt = ByteBuffer(english)
    measure("json/write/32 KB string", bytes: prompt.count) {
        buffer.removeAll()
        var writer = JSONWriter(into: buffer)
        writer.string(prompt.span)
    }
}

private func scan(_ text: ByteBuffer, _ tape: JSONTape) {
    do { try tape.scan(text.span) } catch { fatalError("a sample is refused: \(error)") }
}
