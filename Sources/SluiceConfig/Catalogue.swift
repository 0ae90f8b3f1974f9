/// The providers that are known without configuration. This is data: to know another one, add it here.
package enum Catalogue {
    package struct Entry: Sendable, Equatable {
        package var name: String
        /// For people.
        package var title: String
        package var baseURL: BaseURL
        /// The first that is set holds the key.
        package var keyVariables: [String]
        /// The first that is set replaces `baseURL`.
        package var baseURLVariables: [String]
        package var auth: Authentication
        /// Whether a base URL alone is enough: self-hosted servers often want no key.
        package var isUsableWithoutKey: Bool
        /// Names, and beginnings of names that end in `*`.
        package var models: [String]
        /// What here no document confirmed: `base_url`, `key_variables`, `models`.
        package var unverified: [String]
    }

    /// In the order in which they are looked for.
    package static let providers: [Entry] = {
        do {
            let environment = ConfigEnvironment.fixed()
            let text = unsafe Array(UnsafeBufferPointer(start: Self.text.utf8Start, count: Self.text.utf8CodeUnitCount))
            return try ConfigReader.read(text: text, environment: environment) { section in
                section.dictionary("providers", names: .identifier, doc: "", entry)
            }.value
        } catch {
            preconditionFailure("the built-in catalogue has mistakes:\n\(error)")
        }
    }()

    private static func entry(_ name: String, _ section: ConfigSection) -> Entry {
        Entry(
            name: name,
            title: section.requiredString("title", doc: "For people."),
            baseURL: section.url("base_url", doc: "What paths are appended to."),
            keyVariables: section.strings("key_variables", count: 1...8, doc: "The first that is set holds the key."),
            baseURLVariables: section.strings("base_url_variables", doc: "The first that is set replaces base_url."),
            auth: section.value("auth", .authentication, default: .bearer, doc: "How the key is sent."),
            isUsableWithoutKey: section.boolean("usable_without_key", default: false, doc: "A base URL is enough."),
            models: section.strings("models", doc: "Names, and beginnings that end in *."),
            unverified: section.strings("unverified", doc: "What here no document confirmed."))
    }

    /// `OPENAI_BASE_URL` means the same to the OpenAI SDKs. The SDKs of others leave the version out of theirs, so the
    /// variables for other providers are our own.
    private static let text: StaticString = #"""
        {providers: {
          openai: {
            title: 'OpenAI', base_url: 'https://api.openai.com/v1',
            key_variables: 'OPENAI_API_KEY', base_url_variables: 'OPENAI_BASE_URL', usable_without_key: true,
            models: ['gpt-5.4-mini', 'gpt-4.1-mini', 'text-embedding-3-small', 'omni-moderation-latest',
              'gpt-*', 'chatgpt-*', 'o1*', 'o3*', 'o4*', 'text-embedding-*', 'omni-moderation-*', 'text-moderation-*',
              'whisper-*', 'tts-*', 'dall-e-*', 'sora-*', 'codex-*', 'computer-use-*', 'babbage-*', 'davinci-*'],
          },
          anthropic: {
            title: 'Anthropic (OpenAI-compatible endpoint)', base_url: 'https://api.anthropic.com/v1',
            key_variables: 'ANTHROPIC_API_KEY', base_url_variables: 'SLUICE_ANTHROPIC_BASE_URL',
            models: ['claude-haiku-4-5', 'claude-sonnet-4-6', 'claude-opus-4-8', 'claude-*'],
          },
          gemini: {
            title: 'Google Gemini (OpenAI-compatible endpoint)',
            base_url: 'https://generativelanguage.googleapis.com/v1beta/openai',
            key_variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'], base_url_variables: 'SLUICE_GEMINI_BASE_URL',
            models: ['gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3-flash-preview', 'gemini-3-pro-preview',
              'gemini-embedding-001', 'gemini-*'],
          },
          deepseek: {
            title: 'DeepSeek', base_url: 'https://api.deepseek.com',
            key_variables: 'DEEPSEEK_API_KEY', base_url_variables: 'SLUICE_DEEPSEEK_BASE_URL',
            models: ['deepseek-v4-flash', 'deepseek-v4-pro', 'deepseek-*'],
          },
          moonshot: {  // keys belong to a region: https://api.moonshot.ai/v1 outside China
            title: 'Moonshot Kimi', base_url: 'https://api.moonshot.cn/v1',
            key_variables: ['MOONSHOT_API_KEY', 'KIMI_API_KEY'], base_url_variables: 'SLUICE_MOONSHOT_BASE_URL',
            models: ['kimi-k2.5', 'kimi-k2.6', 'kimi-k2.7-code', 'kimi-k3', 'moonshot-v1-8k', 'moonshot-v1-32k',
              'moonshot-v1-128k', 'kimi-*', 'moonshot-*'],
          },
          qwen: {  // keys belong to a region: dashscope-intl and dashscope-us are the others
            title: 'Alibaba Qwen (DashScope compatible mode)',
            base_url: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
            key_variables: 'DASHSCOPE_API_KEY', base_url_variables: 'SLUICE_QWEN_BASE_URL',
            models: ['qwen-max', 'qwen-plus', 'qwen-flash', 'qwen-turbo', 'qwen-long', 'qwen3-max',
              'text-embedding-v4', 'qwen-*', 'qwen3*', 'qwq-*', 'qvq-*', 'text-embedding-v*'],
          },
          zhipu: {  // https://api.z.ai/api/paas/v4 outside China, with accounts of its own
            title: 'Zhipu GLM', base_url: 'https://open.bigmodel.cn/api/paas/v4',
            key_variables: ['ZHIPUAI_API_KEY', 'ZHIPU_API_KEY'], base_url_variables: 'SLUICE_ZHIPU_BASE_URL',
            models: ['glm-4.5', 'glm-4-flash', 'embedding-2', 'embedding-3', 'glm-*', 'cogview-*', 'embedding-*'],
            unverified: ['models'],
          },
          baidu: {
            title: 'Baidu Qianfan (v2)', base_url: 'https://qianfan.baidubce.com/v2',
            key_variables: 'QIANFAN_API_KEY', base_url_variables: 'SLUICE_BAIDU_BASE_URL',
            models: ['ernie-5.1', 'ernie-4.5-turbo-128k', 'ernie-x1-turbo-32k', 'ernie-*'],
          },
          spark: {  // the password differs from model to model: other models need a provider of their own
            title: 'iFlytek Spark (HTTP)', base_url: 'https://spark-api-open.xf-yun.com/v1',
            key_variables: ['SPARK_API_PASSWORD'], base_url_variables: 'SLUICE_SPARK_BASE_URL',
            models: ['lite', 'generalv3', 'pro-128k', 'generalv3.5', 'max-32k', '4.0Ultra'],
            unverified: ['key_variables'],
          },
          hunyuan: {
            title: 'Tencent Hunyuan', base_url: 'https://api.hunyuan.cloud.tencent.com/v1',
            key_variables: 'HUNYUAN_API_KEY', base_url_variables: 'SLUICE_HUNYUAN_BASE_URL',
            models: ['hunyuan-turbos-latest', 'hunyuan-t1-latest', 'hunyuan-lite', 'hunyuan-embedding', 'hunyuan-*'],
            unverified: ['key_variables'],
          },
          ark: {
            title: 'Volcengine Ark (Doubao)', base_url: 'https://ark.cn-beijing.volces.com/api/v3',
            key_variables: ['ARK_API_KEY', 'VOLCENGINE_API_KEY'], base_url_variables: 'SLUICE_ARK_BASE_URL',
            models: ['doubao-seed-2-1-pro-260628', 'doubao-seed-2-1-turbo-260628', 'doubao-seed-2-0-lite-260428',
              'doubao-seed-1-6-251015', 'doubao-*', 'ep-*'],
          },
          minimax: {  // keys belong to a region: https://api.minimax.io/v1 outside China
            title: 'MiniMax', base_url: 'https://api.minimaxi.com/v1',
            key_variables: 'MINIMAX_API_KEY', base_url_variables: 'SLUICE_MINIMAX_BASE_URL',
            models: ['MiniMax-M3', 'MiniMax-M2.7', 'MiniMax-Text-01', 'abab6.5s-chat', 'MiniMax-*', 'abab*'],
          },
          groq: {
            title: 'Groq', base_url: 'https://api.groq.com/openai/v1',
            key_variables: 'GROQ_API_KEY', base_url_variables: 'SLUICE_GROQ_BASE_URL',
            models: ['qwen/qwen3-32b', 'llama-3.3-70b-versatile', 'llama-3.1-8b-instant', 'llama-*'],
            unverified: ['models'],
          },
          mistral: {
            title: 'Mistral', base_url: 'https://api.mistral.ai/v1',
            key_variables: 'MISTRAL_API_KEY', base_url_variables: 'SLUICE_MISTRAL_BASE_URL',
            models: ['magistral-medium-latest', 'mistral-*', 'magistral-*', 'ministral-*', 'codestral-*',
              'devstral-*', 'pixtral-*', 'open-mistral-*', 'open-mixtral-*'],
            unverified: ['models'],
          },
          together: {
            title: 'Together', base_url: 'https://api.together.ai/v1',
            key_variables: ['TOGETHER_API_KEY', 'TOGETHERAI_API_KEY'], base_url_variables: 'SLUICE_TOGETHER_BASE_URL',
          },
          fireworks: {
            title: 'Fireworks', base_url: 'https://api.fireworks.ai/inference/v1',
            key_variables: 'FIREWORKS_API_KEY', base_url_variables: 'SLUICE_FIREWORKS_BASE_URL',
            models: ['accounts/*'],
            unverified: ['key_variables'],
          },
          openrouter: {
            title: 'OpenRouter', base_url: 'https://openrouter.ai/api/v1',
            key_variables: 'OPENROUTER_API_KEY', base_url_variables: 'SLUICE_OPENROUTER_BASE_URL',
          },
          xai: {
            title: 'xAI', base_url: 'https://api.x.ai/v1',
            key_variables: 'XAI_API_KEY', base_url_variables: 'SLUICE_XAI_BASE_URL',
            models: ['grok-3-mini', 'grok-*'],
          },
          perplexity: {
            title: 'Perplexity', base_url: 'https://api.perplexity.ai',
            key_variables: ['PERPLEXITY_API_KEY', 'PPLX_API_KEY'], base_url_variables: 'SLUICE_PERPLEXITY_BASE_URL',
            models: ['sonar', 'sonar*'],
          },
          cohere: {
            title: 'Cohere (OpenAI-compatible endpoint)', base_url: 'https://api.cohere.ai/compatibility/v1',
            key_variables: ['COHERE_API_KEY', 'CO_API_KEY'], base_url_variables: 'SLUICE_COHERE_BASE_URL',
            models: ['command-*', 'embed-*', 'rerank-*'],
            unverified: ['models'],
          },
        }}
        """#
}
