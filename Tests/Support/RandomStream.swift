package import SluiceCore

/// Streams of chat completions as providers write them: text, reasoning, tool calls, usage, errors, and now and then nonsense.
package struct RandomStream {
    /// The data of its events.
    package private(set) var events: [String] = []

    package init(using random: inout SplitMix64) {
        let style = Style(using: &random)
        for index in 0..<Int.random(in: 2...60, using: &random) {
            switch Int.random(in: 0..<40, using: &random) {
            case 0: events.append(Self.oddities.randomElement(using: &random) ?? "{}")
            case 1: events.append(style.chunk(delta: "{}", finish: #""stop""#, using: &random))
            case 2: events.append(style.usageChunk(using: &random))
            case 3:
                events.append(
                    style.chunk(delta: style.delta(using: &random), usage: style.usage(using: &random), using: &random))
            case 4:
                events.append(
                    Self.broken(style.chunk(delta: style.delta(using: &random), using: &random), using: &random))
            case 5..<8: events.append(style.chunk(delta: Self.toolCall(index, using: &random), using: &random))
            case 8 where index > 3: events.append(events.randomElement(using: &random) ?? "{}")
            default: events.append(style.chunk(delta: style.delta(using: &random), using: &random))
            }
        }
        if Bool.random(using: &random) { events.append(style.chunk(delta: "{}", finish: #""stop""#, using: &random)) }
        if Bool.random(using: &random) { events.append(style.usageChunk(using: &random)) }
        if Bool.random(using: &random) { events.append("[DONE]") }
    }

    /// The stream as bytes, in one of the spellings that event streams have.
    package func bytes(using random: inout SplitMix64) -> [UInt8] {
        let end = ["\n\n", "\r\n\r\n", "\r\r"].randomElement(using: &random) ?? "\n\n"
        return events.flatMap { Array(("data: " + $0 + end).utf8) }
    }

    private static let oddities = [
        "null", "[]", "{}", "3", "\"data\"", #"{"error":{"message":"overloaded"}}"#, #"{"error":null}"#,
        #"{"choices":null}"#,
        #"{"choices":{}}"#, #"{"choices":[null]}"#, #"{"choices":[],"usage":{"prompt_tokens":-1}}"#, "{", "not JSON",
        "",
        #"{"usage":{"prompt_tokens":1,"completion_tokens":2},"choices":[{"delta":{"content":"a"}}]}"#,
    ]

    private static func text(using random: inout SplitMix64) -> String {
        let words = [
            "Hello", " world", ".", #"\n"#, #"\""#, "", "中文", "😀", #"\u00e9"#, #"\ud800"#, "usage",
            #"\"finish_reason\":"#,
        ]
        return (0..<Int.random(in: 0...3, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }
            .joined()
    }

    private static func toolCall(_ index: Int, using random: inout SplitMix64) -> String {
        #"{"tool_calls":[{"index":\#(index % 2),"function":{"arguments":"\#(text(using: &random))"}}]}"#
    }

    /// The chunk with one byte changed, left out or put in.
    private static func broken(_ chunk: String, using random: inout SplitMix64) -> String {
        var bytes = Array(chunk.utf8)
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes.remove(at: at)
        case 1: bytes[at] = Array("\"{}[]:,\\ax1".utf8).randomElement(using: &random) ?? 0x20
        default: bytes.insert(UInt8(ascii: "\""), at: at)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// How one provider writes its chunks.
    private struct Style {
        private let names: [String]
        private let choiceCount: Int
        private let usageInEach: Int
        private let hasObfuscation: Bool
        private let spaces: String

        init(using random: inout SplitMix64) {
            names = ["content", "reasoning_content", "reasoning", "refusal", "text", "other"].shuffled(using: &random)
            choiceCount = [1, 1, 1, 2, 3].randomElement(using: &random) ?? 1
            usageInEach = Int.random(in: 0..<4, using: &random)
            hasObfuscation = Int.random(in: 0..<4, using: &random) == 0
            spaces = ["", "", " "].randomElement(using: &random) ?? ""
        }

        func delta(using random: inout SplitMix64) -> String {
            let count = Int.random(in: 0..<8, using: &random) == 0 ? 2 : 1
            let members = names.prefix(count).map { #""\#($0)":\#(spaces)"\#(RandomStream.text(using: &random))""# }
            return "{" + members.joined(separator: ",") + "}"
        }

        func usage(using random: inout SplitMix64) -> String {
            let count = Int.random(in: 0..<3, using: &random)
            return #"{"prompt_tokens":7,"completion_tokens":\#(count),"total_tokens":\#(7 + count)}"#
        }

        func usageChunk(using random: inout SplitMix64) -> String {
            #"{"id":"c","choices":[],"usage":\#(usage(using: &random))}"#
        }

        func chunk(
            delta: String, finish: String = "null", usage: String? = nil, using random: inout SplitMix64
        ) -> String {
            let index = Int.random(in: 0..<choiceCount, using: &random)
            var chunk =
                #"{"id":"c",\#(spaces)"choices":[{"index":\#(index),"delta":\#(delta),"finish_reason":\#(finish)}]"#
            let each: String? =
                switch usageInEach {
                case 0: nil
                case 1: "null"
                case 2: self.usage(using: &random)
                default: Bool.random(using: &random) ? "null" : nil
                }
            if hasObfuscation, Bool.random(using: &random) {
                chunk += #","obfuscation":"\#(RandomStream.text(using: &random))""#
            }
            if let usage = usage ?? each { chunk += ",\(spaces)\"usage\":\(usage)" }
            return chunk + "}"
        }
    }
}
