internal import SluiceConfig
internal import SluiceCore
internal import SluiceJSON
internal import SluicePipeline

/// What the configuration says of answers in place of providers, as the workers use it.
enum DegradedBuilder {
    static func policy(_ configuration: DegradedConfiguration?) throws(ConfigErrors) -> DegradedPolicy? {
        guard let configuration else { return nil }
        var policy = DegradedPolicy()
        policy.status = UInt16(configuration.status)
        policy.usesStale = configuration.usesStale
        policy.reply = try reply(configuration.reply, path: "degraded.json")
        for model in configuration.models {
            policy.models[model.name] = try reply(model.reply, path: "degraded.models.\(model.name).json")
        }
        return policy
    }

    private static func reply(
        _ configuration: DegradedConfiguration.Reply, path: String
    ) throws(ConfigErrors) -> DegradedPolicy.Reply? {
        if let text = configuration.text { return .text(text) }
        guard let json = configuration.json else { return nil }
        let document = ByteBuffer(json.json())
        let tape = JSONTape()
        let isCompletion =
            (try? tape.scan(document.span)) != nil && tape.root(over: document.span)["choices"]?[0]?["message"]?.isObject == true
        if !isCompletion {
            throw ConfigErrors([
                ConfigMistake(path: path, location: nil, message: "a chat completion: `{choices: [{message: {…}}]}`")
            ])
        }
        return .completion(document.text)
    }
}
