/// What applications are answered when no provider does: marked as what it is.
package struct DegradedConfiguration: Sendable, Equatable {
    package struct Reply: Sendable, Equatable {
        /// An answer's text.
        package var text: String?
        /// A whole chat completion.
        package var json: ConfigValue?
    }

    package struct Model: Sendable, Equatable {
        /// As applications ask for it.
        package var name: String
        package var reply: Reply
    }

    /// 200 to 599.
    package var status = 200
    /// Whether an answer that was kept in the cache goes before a configured one.
    package var usesStale = true
    /// For models that `models` does not name.
    package var reply = Reply()
    package var models: [Model] = []
    private static let textBytesMax = 65_536

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var degraded = Self()
        degraded.status = section.integer(
            "status", default: degraded.status, in: 200...599,
            doc: "The status of such an answer; what is not below 300, SDKs take for an error.")
        degraded.usesStale = section.boolean(
            "stale", default: degraded.usesStale,
            doc: "An answer to the same request that the cache still has, however old, goes before the ones given here.")
        degraded.reply = readReply(section)
        degraded.models = section.dictionary(
            "models", names: .modelPattern, doc: "Others for some models, by the name that applications ask for."
        ) { name, section in
            let reply = readReply(section)
            if reply == Reply() { section.mistake("`text` or `json`, found neither") }
            return Model(name: name, reply: reply)
        }
        return degraded
    }

    private static func readReply(_ section: ConfigSection) -> Reply {
        let text = section.optional(
            "text", .prose(byteCountMax: textBytesMax), doc: "The text of the answer. null: none, and the error is told.")
        let json = section.optional(
            "json", .json,
            doc: "A whole chat completion in place of a text, in OpenAI's words: `{choices: [{message: {content: \"…\"}}]}`.")
        if text != nil, json != nil { section.mistake("json", "null beside a text") }
        if let json, json["choices"] == nil { section.mistake("json", "an object with `choices`") }
        return Reply(text: text, json: json)
    }
}

extension ConfigRule where Value == String {
    /// Text that may have several lines.
    static func prose(byteCountMax: Int) -> ConfigRule {
        text("text", allowed: "a string of 1 to \(byteCountMax) bytes", placeholder: "x", show: { $0 }) {
            1...byteCountMax ~= $0.utf8.count ? $0 : nil
        }
    }
}
