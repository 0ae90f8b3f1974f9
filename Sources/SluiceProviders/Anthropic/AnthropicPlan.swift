internal import SluiceJSON

/// What is decided about a request before it is written: its parts depend on one another.
struct AnthropicPlan {
    enum Thinking: Equatable {
        case off
        /// The application says it in Anthropic's own words (`thinking`).
        case given
        case adaptive
        /// In tokens; at least 1024 and less than `maxTokens`.
        case budget(Int)
    }

    enum ToolUse: Equatable {
        case unspecified, automatic, any, none
        case tool(String)
    }

    private(set) var thinking = Thinking.off
    /// `thinking` is passed on as the application says it, even where it says that there is to be none.
    private(set) var passesThinking = false
    /// `output_config.effort`.
    private(set) var effort: String?
    private(set) var maxTokens: Int
    private(set) var toolUse: ToolUse
    /// The names that `allowed_tools` leaves; `nil`: all.
    private(set) var allowedTools: Set<String>?
    /// The answer's schema is asked for as a tool's.
    private(set) var answersByTool = false
    /// Sentences for the system prompt, for what the model has no field for.
    private(set) var instructions: [StaticString] = []

    private static let maxTokensDefault = 4096
    /// With thinking, which counts as output.
    private static let maxTokensThinkingDefault = 32_000
    private static let budgetMin = 1024

    init(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        if let n = request["n"], let count = n.int, count > 1 {
            throw EncodingRefusal("n", "Anthropic's models give one answer a request; n must be 1.")
        }
        toolUse = Self.toolUse(request)
        allowedTools = Self.allowedTools(request)
        maxTokens = 0
        let asked = try Self.maxTokensAsked(request)
        decideEffort(request, capabilities, &report)
        decideMaxTokens(asked, capabilities, &report)
        decideFormat(request, capabilities, &report)
        decideThinking(request, capabilities, &report)
        adaptToolUse(request, capabilities, &report)
    }

    // MARK: Tokens

    private static func maxTokensAsked(_ request: borrowing ChatRequest) throws(EncodingRefusal) -> Int? {
        for field in ["max_completion_tokens", "max_tokens"] as [StaticString] {
            guard let value = request[field] else { continue }
            guard let count = value.int, count >= 0 else {
                throw EncodingRefusal("\(field)", "\(field) must be a whole number that is not negative.")
            }
            return count
        }
        return nil
    }

    /// The field is required (section 3 of the sheet), and more than the model's own limit is refused.
    private mutating func decideMaxTokens(_ asked: Int?, _ capabilities: Capabilities, _ report: inout FieldReport) {
        let limit = capabilities.outputTokensMax ?? .max
        if let asked {
            maxTokens = min(asked, limit)
            if asked > limit { report.adapt("max_tokens: \(limit), the most that the model takes") }
        } else {
            maxTokens = min(thinking == .off ? Self.maxTokensDefault : Self.maxTokensThinkingDefault, limit)
            report.adapt("max_tokens: \(maxTokens), as it must be given")
        }
    }

    // MARK: Thinking

    private mutating func decideEffort(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, _ report: inout FieldReport
    ) {
        if let given = request["thinking"], given.isObject {
            thinking = given["type"]?.equals("disabled") == true ? .off : .given
            passesThinking = true
            effort = request.reasoningEffort.flatMap(Self.effort)
            return
        }
        guard let asked = request.reasoningEffort, asked != "none" else { return }
        guard let effort = Self.effort(asked), capabilities.reasoning != .none else {
            return report.lose("reasoning_effort")
        }
        switch capabilities.reasoning {
        case .none: break
        case .effort, .adaptive:
            thinking = .adaptive
            self.effort = effort
        case .budget: thinking = .budget(Self.budget(effort))
        }
    }

    /// What `output_config.effort` knows; OpenAI's `minimal` is the least of it.
    private static func effort(_ word: String) -> String? {
        switch word {
        case "minimal": "low"
        case "low", "medium", "high", "xhigh", "max": word
        default: nil
        }
    }

    private static func budget(_ effort: String) -> Int {
        switch effort {
        case "medium": 2048
        case "high": 4096
        case "xhigh": 8192
        case "max": 16_384
        default: budgetMin
        }
    }

    private mutating func decideThinking(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, _ report: inout FieldReport
    ) {
        // A turn that went on to tools must begin with its thinking, which the application has not kept (theme 3.5). Models that
        // think adaptively do not mind.
        if hasBudget(request), Self.isThinkingMissing(request) {
            thinking = .off
            passesThinking = false
            return report.adapt("reasoning_effort: no thinking in this turn, as its thinking blocks are missing")
        }
        guard case .budget(let wanted) = thinking else { return }
        // The application asks for a tool and only suggests how hard to think: what it asks for is kept (section 9: not both).
        if isForced {
            thinking = .off
            return report.adapt("reasoning_effort: no thinking, as a tool is forced")
        }
        let budget = min(wanted, maxTokens - 1)
        if budget < Self.budgetMin {
            thinking = .off
            return report.adapt("reasoning_effort: no thinking, as max_tokens leaves no room for it")
        }
        thinking = .budget(budget)
    }

    private func hasBudget(_ request: borrowing ChatRequest) -> Bool {
        switch thinking {
        case .off, .adaptive: false
        case .budget: true
        case .given: request["thinking"]?["type"]?.equals("enabled") == true
        }
    }

    /// Whether the last turn has tool calls, but not the thinking that led to them.
    private static func isThinkingMissing(_ request: borrowing ChatRequest) -> Bool {
        var isMissing = false
        var messages = request.messages
        while let value = messages.next() {
            let message = ChatMessage(value)
            switch message.role {
            case .user: isMissing = false
            case .assistant: isMissing = message.hasToolCalls && !message.hasAnthropicThinking
            case .system, .tool, .unknown: break
            }
        }
        return isMissing
    }

    // MARK: Tools

    private static func toolUse(_ request: borrowing ChatRequest) -> ToolUse {
        switch request.toolChoice {
        case .unspecified: return .unspecified
        case .none: return .none
        case .required: return .any
        case .function(let name): return .tool(name)
        case .automatic:
            let isRequired = request["tool_choice"]?["allowed_tools"]?["mode"]?.equals("required") == true
            return isRequired ? .any : .automatic
        }
    }

    private static func allowedTools(_ request: borrowing ChatRequest) -> Set<String>? {
        guard let allowed = request["tool_choice"]?["allowed_tools"], allowed.isObject else { return nil }
        var names: Set<String> = []
        var tools = allowed.elements(of: "tools")
        while let tool = tools.next() {
            if let name = ChatTool(tool).name?.string ?? tool["name"]?.string { names.insert(name) }
        }
        return names
    }

    private var isForced: Bool {
        switch toolUse {
        case .any, .tool: true
        case .unspecified, .automatic, .none: false
        }
    }

    private mutating func adaptToolUse(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, _ report: inout FieldReport
    ) {
        if capabilities.forcedTools || !isForced { return }
        if !answersByTool {
            instructions.append("You must call one of the tools before you answer.")
            report.adapt("tool_choice: by an instruction, as the model cannot be forced")
        }
        toolUse = .automatic
    }

    // MARK: The answer's form

    private mutating func decideFormat(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, _ report: inout FieldReport
    ) {
        switch request.responseFormat {
        case .text: return
        case .jsonObject:
            instructions.append("Answer with one JSON object and nothing else: no explanation, no Markdown.")
            report.adapt("response_format: by an instruction")
        case .jsonSchema:
            if capabilities.jsonSchema { return }
            answersByTool = true
            report.adapt("response_format: by a forced tool")
            if !capabilities.forcedTools {
                instructions.append("Give your answer by calling the tool sluice_json_answer.")
            }
            toolUse = request.hasTools && toolUse != .none ? .any : .tool("\(AnthropicDialect.answerTool)")
        }
    }
}

extension ChatMessage {
    /// Whether it carries the thinking that Anthropic wants back.
    var hasAnthropicThinking: Bool {
        var isThere = (value["thinking_blocks"]?.count ?? 0) > 0
        forEachReasoningBlock(ReasoningDetails.anthropic) { _, _ in isThere = true }
        return isThere
    }
}
