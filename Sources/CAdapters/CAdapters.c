// The adapters that are built in, byte for byte as they lie in Adapters/, in the order in which keys are looked for.
// Keep this list complete: a test compares it with the folder.
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

#define ADAPTER(name) {(const void *)name, (int)sizeof name}

static const struct sluice_embedded adapters[] = {
    ADAPTER(openai),
    ADAPTER(anthropic),
    ADAPTER(gemini),
    ADAPTER(deepseek),
    ADAPTER(moonshot),
    ADAPTER(qwen),
    ADAPTER(zhipu),
    ADAPTER(baidu),
    ADAPTER(spark),
    ADAPTER(hunyuan),
    ADAPTER(ark),
    ADAPTER(minimax),
    ADAPTER(groq),
    ADAPTER(mistral),
    ADAPTER(together),
    ADAPTER(fireworks),
    ADAPTER(openrouter),
    ADAPTER(xai),
    ADAPTER(perplexity),
    ADAPTER(cohere),
    ADAPTER(azure),
    ADAPTER(azure_deployments),
    ADAPTER(vertex),
    ADAPTER(bedrock),
    ADAPTER(anthropic_compatible),
    ADAPTER(gemini_compatible),
    ADAPTER(ernie_v1),
    ADAPTER(spark_ws),
    ADAPTER(dashscope),
    ADAPTER(hunyuan_native),
    ADAPTER(vllm),
    ADAPTER(sglang),
    ADAPTER(ollama),
    ADAPTER(llamacpp),
};

const int sluice_adapter_count = (int)(sizeof adapters / sizeof *adapters);

struct sluice_embedded sluice_adapter(int index) { return adapters[index]; }
