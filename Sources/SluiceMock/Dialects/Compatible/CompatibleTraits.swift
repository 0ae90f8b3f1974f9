/// In what a provider differs from OpenAI's chat completions: one table entry a provider, from its sheet.
struct CompatibleTraits: Sendable {
    enum Reasoning: Sendable, Equatable {
        case none
        /// A member beside the content.
        case member(String)
        /// `<think>…</think>` in the content, or apart where the request asks for it.
        case inline
        /// A content chunk of type `thinking`.
        case chunk
    }

    enum UsagePlace: Sendable {
        /// A chunk without choices, if the request asks for it.
        case apart
        /// The same whether it is asked for or not.
        case apartAlways
        /// With the finish reason, always.
        case finish
        /// With the finish reason, if the request asks for it; null before.
        case finishAsked
        /// Inside the last choice.
        case choice
        /// In every chunk.
        case everywhere
    }

    enum Calls: Sendable {
        /// The name first, then fragments of the arguments.
        case fragments
        /// The whole call in one delta; what it leaves out is said.
        case whole(hasIndex: Bool, hasType: Bool)
    }

    enum ErrorForm: Sendable {
        case openAI, baidu, spark, zhipu, moonshot, deepSeek, miniMax, ark, qwen, hunyuan, mistral, xAI, openRouter,
            vLLM
        case sgLang, ollama, llamaCpp, perplexity, azure, fireworks
    }

    var idPrefix = "chatcmpl-"
    var reasoning = Reasoning.none
    /// Whether it reasons without being asked.
    var reasonsByDefault = false
    var usage = UsagePlace.apart
    var calls = Calls.fragments
    var hasDone = true
    var errors = ErrorForm.openAI
    /// Roles that are refused.
    var refusedRoles: Set<String> = ["developer"]
    /// Members that are refused, with the dialect's error.
    var refused: Set<String> = []
    /// If set, anything else is refused.
    var known: Set<String>?
    var temperature = 0.0...2.0
    var temperatureIsOpen = false
    var toolChoices: Set<String> = ["auto", "none", "required", "named"]
    var stopIsArray = false
    var stopsMax = 16
    var formats: Set<String> = ["text", "json_object", "json_schema"]
    var alternates = false
    var hasTools = true
    var embeds = true
    var lists = true
    var dimensions = 1024
    var keepsStop = false
    /// Comments before the first event.
    var comment: String?
    /// Whether completion tokens leave out those of reasoning.
    var excludesReasoning = false

    static let openAIMembers: Set<String> = [
        "model", "messages", "stream", "temperature", "top_p", "max_tokens", "stop", "tools", "tool_choice",
        "response_format", "presence_penalty", "frequency_penalty", "n",
    ]

    static func of(_ prefix: String) -> CompatibleTraits? { table[prefix] }

    static let prefixes = table.keys.sorted()

    private static let table: [String: CompatibleTraits] = [
        "baidu": make {
            $0.idPrefix = "as-"
            $0.reasoning = .member("reasoning_content")
            $0.errors = .baidu
            $0.stopsMax = 4
            $0.dimensions = 384
        },
        "spark": make {
            $0.idPrefix = "cha"
            $0.reasoning = .member("reasoning_content")
            $0.usage = .finish
            $0.calls = .whole(hasIndex: false, hasType: true)
            $0.errors = .spark
            $0.formats = ["text", "json_object"]
            $0.embeds = false
            $0.lists = false
        },
        "qwen": make {
            $0.reasoning = .member("reasoning_content")
            $0.errors = .qwen
            $0.temperature = 0...1.999_999
            $0.toolChoices = ["auto", "none", "named"]
        },
        "zhipu": make {
            $0.idPrefix = "2026"
            $0.reasoning = .member("reasoning_content")
            $0.reasonsByDefault = true
            $0.usage = .finish
            $0.errors = .zhipu
            $0.temperature = 0...1
            $0.toolChoices = ["auto"]
            $0.stopIsArray = true
            $0.stopsMax = 4
            $0.formats = ["text", "json_object"]
            $0.lists = false
            $0.dimensions = 2048
        },
        "hunyuan": make {
            $0.reasoning = .member("reasoning_content")
            $0.errors = .hunyuan
            $0.alternates = true
            $0.toolChoices = ["auto", "none", "custom"]
            $0.stopIsArray = true
            $0.keepsStop = true
            $0.refused = ["response_format", "logit_bias"]
        },
        "moonshot": make {
            $0.reasoning = .member("reasoning_content")
            $0.usage = .choice
            $0.errors = .moonshot
            $0.temperature = 0...1
            $0.embeds = false
        },
        "deepseek": make {
            $0.reasoning = .member("reasoning_content")
            $0.reasonsByDefault = true
            $0.usage = .finishAsked
            $0.errors = .deepSeek
            $0.formats = ["text", "json_object"]
            $0.comment = "keep-alive"
            $0.embeds = false
        },
        "minimax": make {
            $0.reasoning = .inline
            $0.reasonsByDefault = true
            $0.usage = .finish
            $0.errors = .miniMax
            $0.temperatureIsOpen = true
            $0.toolChoices = ["auto"]
            $0.embeds = false
            $0.lists = false
        },
        "ark": make {
            $0.idPrefix = "0217"
            $0.reasoning = .member("reasoning_content")
            $0.errors = .ark
            $0.refusedRoles = []
            $0.stopsMax = 4
            $0.dimensions = 2048
        },
        "mistral": make {
            $0.idPrefix = ""
            $0.reasoning = .chunk
            $0.usage = .finish
            $0.calls = .whole(hasIndex: false, hasType: false)
            $0.errors = .mistral
            $0.toolChoices = ["auto", "none", "any", "required", "named"]
            $0.known = openAIMembers.union([
                "random_seed", "safe_prompt", "prompt_mode", "prediction", "parallel_tool_calls", "reasoning_effort",
                "metadata", "guardrails", "prompt_cache_key",
            ])
            $0.temperature = 0...1.5
        },
        "groq": make {
            $0.reasoning = .member("reasoning")
            $0.usage = .finish
            $0.calls = .whole(hasIndex: true, hasType: true)
            $0.refused = ["logprobs", "top_logprobs", "logit_bias"]
            $0.embeds = false
        },
        "xai": make {
            $0.idPrefix = ""
            $0.reasoning = .member("reasoning_content")
            $0.usage = .apartAlways
            $0.calls = .whole(hasIndex: true, hasType: true)
            $0.errors = .xAI
            $0.excludesReasoning = true
            $0.refusedRoles = []
            $0.embeds = false
        },
        "perplexity": make {
            $0.idPrefix = ""
            $0.reasoning = .inline
            $0.usage = .everywhere
            $0.hasDone = false
            $0.errors = .perplexity
            $0.alternates = true
            $0.hasTools = false
            $0.refused = ["n", "logprobs", "top_logprobs", "stop", "seed", "logit_bias", "tools", "tool_choice"]
            $0.embeds = false
            $0.lists = false
        },
        "openrouter": make {
            $0.idPrefix = "gen-"
            $0.reasoning = .member("reasoning")
            $0.usage = .apartAlways
            $0.errors = .openRouter
            $0.refusedRoles = []
            $0.comment = "OPENROUTER PROCESSING"
            $0.embeds = false
        },
        "ollama": make {
            $0.reasoning = .member("reasoning")
            $0.calls = .whole(hasIndex: true, hasType: true)
            $0.errors = .ollama
        },
        "vllm": make {
            $0.reasoning = .member("reasoning")
            $0.errors = .vLLM
            $0.refusedRoles = []
        },
        "sglang": make {
            $0.idPrefix = ""
            $0.reasoning = .member("reasoning_content")
            $0.errors = .sgLang
            $0.refusedRoles = []
        },
        "llamacpp": make {
            $0.reasoning = .member("reasoning_content")
            $0.errors = .llamaCpp
            $0.refusedRoles = []
        },
        "together": make {
            $0.idPrefix = ""
            $0.reasoning = .member("reasoning")
            $0.usage = .finish
        },
        "fireworks": make {
            $0.idPrefix = ""
            $0.reasoning = .member("reasoning_content")
            $0.usage = .finish
        },
        "cohere": make {
            $0.refusedRoles = []
            $0.refused = ["logit_bias", "top_logprobs", "n", "prediction", "audio"]
        },
        "azure": make {
            $0.errors = .azure
            $0.refusedRoles = []
        },
        "azure-v1": make {
            $0.errors = .azure
            $0.refusedRoles = []
        },
    ]

    private static func make(_ change: (inout CompatibleTraits) -> Void) -> CompatibleTraits {
        var traits = CompatibleTraits()
        change(&traits)
        return traits
    }
}
