/// What applications ask, as OpenAPI has it. What providers take and give is theirs to describe: it is passed on as it
/// is.
enum DataPlane {
    static let schemas: [(name: StaticString, schema: StaticString)] = [
        (
            "Error",
            #"{"type":"object","required":["error"],"properties":{"error":{"type":"object","required":["message","type","code"],"properties":{"message":{"type":"string"},"type":{"type":"string"},"code":{"type":["string","null"]},"param":{"type":["string","null"]},"details":{"type":"array","items":{"type":"object","required":["path","message"],"properties":{"path":{"type":"string"},"message":{"type":"string"}}}}}}}}"#
        ),
        (
            "Health",
            #"{"type":"object","required":["status","version","config_revision"],"properties":{"status":{"enum":["ok","not_ready"]},"version":{"type":"string"},"config_revision":{"type":"integer"},"control_revision":{"type":"integer"},"config_error":{"type":"string"}}}"#
        ),
        (
            "Model",
            #"{"type":"object","required":["id","object","owned_by"],"properties":{"id":{"type":"string"},"object":{"const":"model"},"created":{"type":"integer"},"owned_by":{"type":"string"}}}"#
        ),
        (
            "ModelList",
            ##"{"type":"object","required":["object","data"],"properties":{"object":{"const":"list"},"data":{"type":"array","items":{"$ref":"#/components/schemas/Model"}}}}"##
        ),
        (
            "PlatformModels",
            #"{"type":"object","required":["code","message","data"],"properties":{"code":{"const":200},"message":{"type":"string"},"data":{"type":"array","items":{"type":"object","required":["name","provider","status"],"properties":{"name":{"type":"string"},"provider":{"type":"string"},"status":{"type":"string"},"id":{"type":"string"},"version":{"type":["integer","null"],"description":"The revision that it was last changed by; null: the file says it."},"strategy":{"type":"string"},"max_concurrency":{"type":["integer","null"]},"average_latency_ms":{"type":["number","null"]},"success_rate":{"type":["number","null"]},"targets":{"type":"array","items":{"type":"object","required":["provider","model","endpoint","status"],"properties":{"provider":{"type":"string"},"model":{"type":"string"},"endpoint":{"type":"string"},"api_key":{"enum":["<set>",null]},"status":{"enum":["active","unavailable"]},"max_concurrency":{"type":["integer","null"]},"price_per_token":{"type":["object","null"]},"average_latency_ms":{"type":["number","null"]},"success_rate":{"type":["number","null"]}}}}}}}}}"#
        ),
        (
            "PlatformChat",
            #"{"type":"object","required":["model","parameters"],"properties":{"model":{"type":"string"},"parameters":{"type":"object","properties":{"prompt":{"type":"string"},"messages":{"type":"array"},"stream":{"type":"boolean"},"prompt_id":{"type":"string"}}},"user_info":{"type":"object","properties":{"user_id":{"type":"string"},"user_role":{"type":"string"}}},"request_id":{"type":"string"}}}"#
        ),
    ]

    private static let health: StaticString =
        ##"{"operationId":"health","summary":"Whether the process is well","tags":["health"],"security":[{}],"responses":{"200":{"description":"It is.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}}}}"##

    private static let ready: StaticString =
        ##"{"operationId":"ready","summary":"Whether new requests are welcome","tags":["health"],"security":[{}],"responses":{"200":{"description":"They are.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}},"503":{"description":"They are not.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}}}}"##

    /// Path, and the operations on it by method. Where the management API has the same path, its own are added.
    static let paths: [(path: StaticString, operations: [(method: StaticString, text: StaticString)])] = [
        ("/health", [("get", health)]),
        ("/livez", [("get", live)]),
        ("/readyz", [("get", ready)]),
        ("/v1/models", [("get", models)]),
        ("/v1/models/{model}", [("get", model)]),
        ("/v1/chat/completions", [("post", chat)]),
        ("/v1/completions", [("post", completions)]),
        ("/v1/embeddings", [("post", embeddings)]),
        ("/v1/responses", [("post", responses)]),
        ("/v1/messages", [("post", messages)]),
        ("/v1/messages/count_tokens", [("post", countTokens)]),
        ("/api/v1/chat/completions", [("post", platformChat)]),
        ("/api/v1/models", [("get", platformModels)]),
    ]

    private static let live: StaticString =
        ##"{"operationId":"live","summary":"Whether the process lives","tags":["health"],"security":[{}],"responses":{"200":{"description":"It does.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}}}}"##

    private static let models: StaticString =
        ##"{"operationId":"models","summary":"Lists the models that the caller may use (OpenAI)","tags":["openai"],"responses":{"200":{"description":"The models.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/ModelList"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##

    private static let model: StaticString =
        ##"{"operationId":"model","summary":"One model (OpenAI); one that is not known here is asked for at its provider","tags":["openai"],"parameters":[{"name":"model","in":"path","required":true,"schema":{"type":"string","minLength":1}}],"responses":{"200":{"description":"The model.","content":{"application/json":{"schema":{"type":"object"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##

    private static let chat: StaticString =
        ##"{"operationId":"chat","summary":"A chat completion (OpenAI)","tags":["openai"],"requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","required":["model","messages"],"properties":{"model":{"type":"string"},"messages":{"type":"array"},"stream":{"type":"boolean"}}}}}},"responses":{"200":{"description":"The provider's answer; with `stream` events.","content":{"application/json":{"schema":{"type":"object"}},"text/event-stream":{"schema":{"type":"string"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##

    private static let completions: StaticString =
        ##"{"operationId":"completions","summary":"A completion (OpenAI)","tags":["openai"],"requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","required":["model","prompt"],"properties":{"model":{"type":"string"}}}}}},"responses":{"200":{"description":"The provider's answer; with `stream` events.","content":{"application/json":{"schema":{"type":"object"}},"text/event-stream":{"schema":{"type":"string"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##

    private static let embeddings: StaticString =
        ##"{"operationId":"embeddings","summary":"Embeddings (OpenAI)","tags":["openai"],"requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","required":["model","input"],"properties":{"model":{"type":"string"}}}}}},"responses":{"200":{"description":"The provider's answer.","content":{"application/json":{"schema":{"type":"object"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##

    private static let responses: StaticString =
        ##"{"operationId":"responses","summary":"A response (OpenAI)","tags":["openai"],"requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","required":["model","input"],"properties":{"model":{"type":"string"}}}}}},"responses":{"200":{"description":"The provider's answer; with `stream` events.","content":{"application/json":{"schema":{"type":"object"}},"text/event-stream":{"schema":{"type":"string"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##

    private static let messages: StaticString =
        ##"{"operationId":"messages","summary":"A message (Anthropic)","tags":["anthropic"],"requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","required":["model","max_tokens","messages"],"properties":{"model":{"type":"string"},"max_tokens":{"type":"integer"},"messages":{"type":"array"}}}}}},"responses":{"200":{"description":"The message; with `stream` events.","content":{"application/json":{"schema":{"type":"object"}},"text/event-stream":{"schema":{"type":"string"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##

    private static let countTokens: StaticString =
        ##"{"operationId":"count_tokens","summary":"What a message would cost in tokens (Anthropic)","tags":["anthropic"],"requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","required":["model","messages"],"properties":{"model":{"type":"string"},"messages":{"type":"array"}}}}}},"responses":{"200":{"description":"The count.","content":{"application/json":{"schema":{"type":"object"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##

    private static let platformChat: StaticString =
        ##"{"operationId":"platform_chat","summary":"A chat completion in the platform's envelope","tags":["platform"],"requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/PlatformChat"}},"application/x-www-form-urlencoded":{"schema":{"type":"object"}},"multipart/form-data":{"schema":{"type":"object"}}}},"responses":{"200":{"description":"The answer; with `parameters.stream` events.","content":{"application/json":{"schema":{"type":"object"}},"text/event-stream":{"schema":{"type":"string"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##

    private static let platformModels: StaticString =
        ##"{"operationId":"platform_models","summary":"Lists the models that the caller may use; to principals with models.read with how each of them is set and does","tags":["platform"],"responses":{"200":{"description":"The models.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/PlatformModels"}}}},"default":{"$ref":"#/components/responses/Error"}}}"##
}
