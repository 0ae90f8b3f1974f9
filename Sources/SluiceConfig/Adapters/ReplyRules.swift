/// How a platform's replies differ from OpenAI's.
package struct ReplyRules: Sendable, Equatable {
    /// What OpenAI's word for an end is; `failure` is no proper end.
    package enum Finish: String, Sendable, CaseIterable {
        case stop, length
        case toolCalls = "tool_calls"
        case contentFilter = "content_filter"
        case failure
    }

    /// Which model a reply names.
    package enum ModelName: String, Sendable, CaseIterable { case provider, requested }

    /// Chat replies are read and written anew; otherwise they pass as they come.
    package var normalises = false
    package var finishReasons: [Named<Finish>] = []
    /// Where the reply's id is.
    package var idField = "id"
    /// Fields of a message that hold reasoning, the first that says something.
    package var reasoningFields = ["reasoning_content", "reasoning"]
    /// Text begins with reasoning between `<think>` and `</think>`.
    package var hasThinkTags = false
    /// The text ends with the stop sequence, which OpenAI leaves out.
    package var includesStop = false
    package var modelName = ModelName.provider
    /// Paths to the numbers that OpenAI has elsewhere: from the usage object.
    package var cachedTokens: [String] = []
    package var reasoningTokens: [String] = []
    /// Reasoning tokens are not counted in the output.
    package var addsReasoningTokens = false

    package init() {}

    static func read(_ section: ConfigSection) -> Self {
        var rules = ReplyRules()
        rules.normalises = section.boolean(
            "normalise", default: false,
            doc:
                "Chat replies are read tolerantly and written anew, as OpenAI writes them. Otherwise they pass byte for byte."
        )
        rules.finishReasons = section.dictionary(
            "finish_reasons", of: .choice(of: Finish.self), names: .words,
            doc: "What this platform's finish reasons mean; `failure`: the answer is broken off."
        ).map { Named($0.name, $0.value) }
        rules.idField = section.value("id_field", .fieldName, default: "id", doc: "The field with the reply's id.")
        rules.reasoningFields = section.values(
            "reasoning_fields", .fieldName, default: rules.reasoningFields, count: 0...8,
            doc:
                "Fields of a message that hold reasoning; the first that says something counts. `reasoning_details` is an array of texts."
        )
        rules.hasThinkTags = section.boolean(
            "think_tags", default: false, doc: "The text may begin with reasoning between `<think>` and `</think>`.")
        rules.includesStop = section.boolean(
            "stop_included", default: false, doc: "The text ends with the stop sequence, which is then left out.")
        rules.modelName = section.choice("model", default: rules.modelName, doc: "Which model a reply names.")
        section.section("usage", doc: "Where numbers are that OpenAI has elsewhere: paths within `usage`.") { section in
            rules.cachedTokens = section.values(
                "cached_tokens", .fieldPath, count: 0...8, doc: "Input tokens that came from a cache.")
            rules.reasoningTokens = section.values(
                "reasoning_tokens", .fieldPath, count: 0...8, doc: "Output tokens of reasoning.")
            rules.addsReasoningTokens = section.boolean(
                "adds_reasoning", default: false,
                doc: "Reasoning tokens are not counted in `completion_tokens`: they are added.")
        }
        return rules
    }
}

/// How a platform says that something went wrong.
package struct ErrorRules: Sendable, Equatable {
    /// A sign of failure where an answer was to be: in a reply with status 200, or in an event.
    package struct InBand: Sendable, Equatable {
        /// The member that is there.
        package var path: String
        /// Values of it that mean success; empty: it is there in errors only.
        package var ok: [String]
        package var message: String?
    }

    package enum Key: String, Sendable, CaseIterable { case fine, refused, exhausted }

    /// What an error means. Conditions that are not given do not matter.
    package struct Row: Sendable, Equatable {
        /// The platform's codes or types; ones that end in `*` are beginnings.
        package var codes: [String]
        /// HTTP statuses of the reply.
        package var http: [Int]
        /// The message has one of these in it, whatever the case.
        package var contains: [String]
        package var status: Int?
        package var type: String?
        package var code: String?
        package var param: String?
        package var isRetryable: Bool?
        package var key: Key?
    }

    package var inBand: [InBand] = []
    package var codePaths: [String] = []
    /// The first that fits counts.
    package var rows: [Row] = []

    package init() {}

    static let defaultCodePaths = ["error.code", "error.type", "code", "type"]

    static func read(_ section: ConfigSection) -> Self {
        var rules = ErrorRules()
        rules.inBand = section.list(
            "in_band", count: 0...16, doc: "Signs of failure in replies with status 200 and in events."
        ) { section in
            InBand(
                path: section.required("path", .fieldPath, doc: "A member: its value is the platform's code."),
                ok: section.strings(
                    "ok", bytes: 0...128, count: 0...32,
                    doc: "Values that mean success. Empty: the member is there in errors only."),
                message: section.optional("message", .fieldPath, doc: "Where the message is."))
        }
        rules.codePaths = section.values(
            "code_paths", .fieldPath, default: defaultCodePaths, count: 0...16,
            doc: "Where the platform's code is: all are looked up in the table.")
        rules.rows = section.list(
            "table", count: 0...200, doc: "What errors mean: the first row that fits counts.", readRow)
        return rules
    }

    private static func readRow(_ section: ConfigSection) -> Row {
        let row = Row(
            codes: section.strings(
                "codes", bytes: 1...128, count: 0...64,
                doc: "Codes or types of the platform; `*` at the end: beginnings."),
            http: section.values("http", .integer(in: 200...599), count: 0...32, doc: "Statuses of the reply."),
            contains: section.strings(
                "contains", bytes: 1...128, count: 0...16, doc: "The message has one of these in it, whatever the case."
            ),
            status: section.optional(
                "status", .integer(in: 400...599), doc: "The status that the application gets. null: as it came."),
            type: section.optional("type", .fieldName, doc: "OpenAI's `type`. null: what the status means."),
            code: section.optional("code", .fieldName, doc: "OpenAI's `code`. null: the platform's."),
            param: section.optionalString("param", bytes: 1...128, doc: "OpenAI's `param`."),
            isRetryable: section.optional(
                "retryable", .boolean, doc: "Whether the same request may succeed later. null: what the status means."),
            key: section.optional("key", .choice(), doc: "What the error says of the key. null: what the status means.")
        )
        if row.codes.isEmpty, row.http.isEmpty, row.contains.isEmpty { section.mistake("codes, http or contains") }
        return row
    }
}

extension ConfigNames {
    /// What platforms say.
    static let words = ConfigNames("a word of 1 to 64 visible ASCII characters") { name in
        1...64 ~= name.utf8.count && name.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    }
}
