// The adapters that are built in, byte for byte as they lie in Adapters/, in the order in which keys are looked for.
// Keep this list complete: a test compares it with the folder and what the files say.
#include "CAdapters.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char openai[] = {
#embed "Adapters/openai.json5"
};
static const unsigned char anthropic[] = {
#embed "Adapters/anthropic.json5"
};
static const unsigned char gemini[] = {
#embed "Adapters/gemini.json5"
};
static const unsigned char deepseek[] = {
#embed "Adapters/deepseek.json5"
};
static const unsigned char moonshot[] = {
#embed "Adapters/moonshot.json5"
};
static const unsigned char qwen[] = {
#embed "Adapters/qwen.json5"
};
static const unsigned char zhipu[] = {
#embed "Adapters/zhipu.json5"
};
static const unsigned char baidu[] = {
#embed "Adapters/baidu.json5"
};
static const unsigned char spark[] = {
#embed "Adapters/spark.json5"
};
static const unsigned char hunyuan[] = {
#embed "Adapters/hunyuan.json5"
};
static const unsigned char ark[] = {
#embed "Adapters/ark.json5"
};
static const unsigned char minimax[] = {
#embed "Adapters/minimax.json5"
};
static const unsigned char groq[] = {
#embed "Adapters/groq.json5"
};
static const unsigned char mistral[] = {
#embed "Adapters/mistral.json5"
};
static const unsigned char together[] = {
#embed "Adapters/together.json5"
};
static const unsigned char fireworks[] = {
#embed "Adapters/fireworks.json5"
};
static const unsigned char openrouter[] = {
#embed "Adapters/openrouter.json5"
};
static const unsigned char xai[] = {
#embed "Adapters/xai.json5"
};
static const unsigned char perplexity[] = {
#embed "Adapters/perplexity.json5"
};
static const unsigned char cohere[] = {
#embed "Adapters/cohere.json5"
};
static const unsigned char azure[] = {
#embed "Adapters/azure.json5"
};
static const unsigned char azure_deployments[] = {
#embed "Adapters/azure-deployments.json5"
};
static const unsigned char vertex[] = {
#embed "Adapters/vertex.json5"
};
static const unsigned char bedrock[] = {
#embed "Adapters/bedrock.json5"
};
static const unsigned char anthropic_compatible[] = {
#embed "Adapters/anthropic-compatible.json5"
};
static const unsigned char gemini_compatible[] = {
#embed "Adapters/gemini-compatible.json5"
};
static const unsigned char ernie_v1[] = {
#embed "Adapters/ernie-v1.json5"
};
static const unsigned char spark_ws[] = {
#embed "Adapters/spark-ws.json5"
};
static const unsigned char dashscope[] = {
#embed "Adapters/dashscope.json5"
};
static const unsigned char hunyuan_native[] = {
#embed "Adapters/hunyuan-native.json5"
};
static const unsigned char vllm[] = {
#embed "Adapters/vllm.json5"
};
static const unsigned char sglang[] = {
#embed "Adapters/sglang.json5"
};
static const unsigned char ollama[] = {
#embed "Adapters/ollama.json5"
};
static const unsigned char llamacpp[] = {
#embed "Adapters/llamacpp.json5"
};

// The names and the variables are those in the file, here so that it is read only when somebody asks for it.
#define ADAPTER(text, name, variables) {(const void *)text, (int)sizeof text, name, variables}

static const struct sluice_embedded adapters[] = {
    ADAPTER(openai, "openai", "OPENAI_API_KEY OPENAI_BASE_URL"),
    ADAPTER(anthropic, "anthropic", "ANTHROPIC_API_KEY SLUICE_ANTHROPIC_BASE_URL"),
    ADAPTER(gemini, "gemini", "GEMINI_API_KEY GOOGLE_API_KEY SLUICE_GEMINI_BASE_URL"),
    ADAPTER(deepseek, "deepseek", "DEEPSEEK_API_KEY SLUICE_DEEPSEEK_BASE_URL"),
    ADAPTER(moonshot, "moonshot", "MOONSHOT_API_KEY KIMI_API_KEY SLUICE_MOONSHOT_BASE_URL"),
    ADAPTER(qwen, "qwen", "DASHSCOPE_API_KEY SLUICE_QWEN_BASE_URL"),
    ADAPTER(zhipu, "zhipu", "ZHIPUAI_API_KEY ZHIPU_API_KEY SLUICE_ZHIPU_BASE_URL"),
    ADAPTER(baidu, "baidu", "QIANFAN_API_KEY SLUICE_BAIDU_BASE_URL"),
    ADAPTER(spark, "spark", "SPARK_API_PASSWORD SLUICE_SPARK_BASE_URL"),
    ADAPTER(hunyuan, "hunyuan", "HUNYUAN_API_KEY SLUICE_HUNYUAN_BASE_URL"),
    ADAPTER(ark, "ark", "ARK_API_KEY VOLCENGINE_API_KEY SLUICE_ARK_BASE_URL"),
    ADAPTER(minimax, "minimax", "MINIMAX_API_KEY SLUICE_MINIMAX_BASE_URL"),
    ADAPTER(groq, "groq", "GROQ_API_KEY SLUICE_GROQ_BASE_URL"),
    ADAPTER(mistral, "mistral", "MISTRAL_API_KEY SLUICE_MISTRAL_BASE_URL"),
    ADAPTER(together, "together", "TOGETHER_API_KEY TOGETHERAI_API_KEY SLUICE_TOGETHER_BASE_URL"),
    ADAPTER(fireworks, "fireworks", "FIREWORKS_API_KEY SLUICE_FIREWORKS_BASE_URL"),
    ADAPTER(openrouter, "openrouter", "OPENROUTER_API_KEY SLUICE_OPENROUTER_BASE_URL"),
    ADAPTER(xai, "xai", "XAI_API_KEY SLUICE_XAI_BASE_URL"),
    ADAPTER(perplexity, "perplexity", "PERPLEXITY_API_KEY PPLX_API_KEY SLUICE_PERPLEXITY_BASE_URL"),
    ADAPTER(cohere, "cohere", "COHERE_API_KEY CO_API_KEY SLUICE_COHERE_BASE_URL"),
    ADAPTER(azure, "azure", "AZURE_OPENAI_API_KEY AZURE_OPENAI_BASE_URL"),
    ADAPTER(azure_deployments, "azure-deployments", ""),
    ADAPTER(vertex, "vertex", ""),
    ADAPTER(bedrock, "bedrock", ""),
    ADAPTER(anthropic_compatible, "anthropic-compatible", "SLUICE_ANTHROPIC_COMPATIBLE_BASE_URL"),
    ADAPTER(gemini_compatible, "gemini-compatible", "SLUICE_GEMINI_COMPATIBLE_BASE_URL"),
    ADAPTER(ernie_v1, "ernie-v1", "SLUICE_ERNIE_V1_BASE_URL"),
    ADAPTER(spark_ws, "spark-ws", "SLUICE_SPARK_WS_BASE_URL"),
    ADAPTER(dashscope, "dashscope", "SLUICE_DASHSCOPE_BASE_URL"),
    ADAPTER(hunyuan_native, "hunyuan-native", "SLUICE_HUNYUAN_NATIVE_BASE_URL"),
    ADAPTER(vllm, "vllm", "SLUICE_VLLM_BASE_URL"),
    ADAPTER(sglang, "sglang", "SLUICE_SGLANG_BASE_URL"),
    ADAPTER(ollama, "ollama", "SLUICE_OLLAMA_BASE_URL"),
    ADAPTER(llamacpp, "llamacpp", "SLUICE_LLAMACPP_BASE_URL"),
};

const int sluice_adapter_count = (int)(sizeof adapters / sizeof *adapters);

struct sluice_embedded sluice_adapter(int index) { return adapters[index]; }
