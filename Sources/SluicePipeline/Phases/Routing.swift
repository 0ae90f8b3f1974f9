internal import SluiceCore
internal import SluiceHTTP
internal import SluicePolicy
internal import SluiceProviders

/// Who answers a request.
enum Destination {
    /// The built-in model that answers with the prompt.
    case echo
    /// Those of the plan.
    case targets
}

/// Plans who may answer a request, by its model.
///
/// In this order: a model that the configuration names; `provider/model`; the built-in `echo`; a provider that lists the model;
/// the default provider, which takes any name.
enum Routing {
    static let echoModel = "echo"

    static func plan(
        _ context: RequestContext, _ request: IncomingRequest, directory: ModelDirectory
    ) throws(Rejection) -> Destination {
        let snapshot = context.snapshot
        let name = context.model
        if let model = snapshot.models[name] {
            return try use(model.provider, model.upstreamModel, context, unsupported: model.unsupported)
        }
        if let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")),
            let provider = snapshot.providers[String(name[..<slash])]
        {
            return try use(provider, String(name[name.index(after: slash)...]), context)
        }
        if name == echoModel { return .echo }
        if snapshot.providers.count > 1, !name.isEmpty, let owner = owner(of: name, snapshot, directory) {
            return try use(owner, name, context)
        }
        if let provider = snapshot.defaultProvider { return try use(provider, name, context) }
        throw notFound(context)
    }

    private static func owner(of model: String, _ snapshot: ConfigSnapshot, _ directory: ModelDirectory) -> Provider? {
        for provider in snapshot.providers.values.sorted(by: { $0.name < $1.name }) where provider.knows(model: model) {
            return provider
        }
        return directory.owner(of: model).flatMap { snapshot.providers[$0] }
    }

    private static func use(
        _ provider: Provider, _ upstreamModel: String, _ context: RequestContext, unsupported: FieldReport.Mode? = nil
    ) throws(Rejection) -> Destination {
        // Some providers have the model in the path: it is not for the caller to choose another one.
        if !context.model.isEmpty, !RequestTarget.isSegment(upstreamModel.utf8Span.span) {
            throw Rejection(
                .caller, 400, code: "invalid_value",
                "The model's name has control characters, . or .. as a part of a path in it.",
                param: "model")
        }
        let id = TargetID(provider: provider.name, model: upstreamModel)
        context.plan.targets.append(
            RouteTarget(
                provider: provider, upstreamModel: upstreamModel, unsupported: unsupported,
                state: context.snapshot.lasting.targets.state(of: id)))
        return .targets
    }

    private static func notFound(_ context: RequestContext) -> Rejection {
        let names = context.snapshot.providers.keys.sorted()
        if names.isEmpty {
            return Rejection(
                .caller, 404, code: "model_not_found",
                "No provider is configured, so there is only the model \"echo\". Set OPENAI_API_KEY (or another provider's key) and restart, or use --config.",
                param: "model")
        }
        if context.model.isEmpty {
            return Rejection(
                .caller, 404, code: "unknown_url",
                "This endpoint is served by the default provider, and there is none: set default_provider to one of \(names.joined(separator: ", "))."
            )
        }
        return Rejection(
            .caller, 404, code: "model_not_found",
            "The model \"\(context.model)\" is not known. Use a configured model, PROVIDER/MODEL with one of \(names.joined(separator: ", ")), or set default_provider.",
            param: "model")
    }
}
