internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

/// Who answers a request.
enum Destination {
    /// The built-in model that answers with the prompt.
    case echo
    /// Those of the plan.
    case targets
}

/// Plans who may answer a request, by its model and the rules. One a worker.
///
/// In this order: a model that the configuration names, or a pattern that matches; `provider/model`; the built-in `echo`; the
/// pattern that takes everything; a provider that lists the model; the default provider, which takes any name.
final class Routing {
    static let echoModel = "echo"

    private let directory: ModelDirectory
    private var random: SplitMix64
    /// What names led to that the configuration does not have as they are. Callers choose the names, so there is a bound.
    private var found: [String: Route] = [:]
    private static let foundMax = 1000
    /// What `found` holds for.
    private var foundIn: (snapshot: ObjectIdentifier, directory: Int)?
    private var placements: [TargetGroup.Placement] = []
    private var graded: [(grade: TargetGroup.Grade, target: RouteTarget)] = []

    init(directory: ModelDirectory, seed: UInt64) {
        self.directory = directory
        random = SplitMix64(seed)
    }

    /// - Parameter tape: holds the request's document, if it is JSON.
    func plan(
        _ context: RequestContext, _ request: IncomingRequest, tape: JSONTape
    ) throws(Rejection) -> Destination {
        let table = context.snapshot.routes
        var name = context.model
        if let model = table.aliases.isEmpty ? nil : table.aliases[name] { name = model }
        let rule = table.rules.isEmpty || name.isEmpty ? nil : rule(name, table, context)
        if let model = rule?.model { name = table.aliases[model] ?? model }
        context.plan.rule = rule?.name
        var route = table.routes[name]
        if route == nil { route = try find(name, preferred: rule?.preferred ?? [], context) }
        guard let route else { return .echo }
        // It is not for the caller to choose another path.
        if !route.isAddressable, !context.model.isEmpty {
            throw Rejection(
                .caller, 400, code: "invalid_value",
                "The model's name has control characters, . or .. as a part of a path in it.",
                param: "model")
        }
        context.plan.route = route
        context.plan.targets =
            route.targets.count == 1 ? route.targets : order(route, rule, name, context, request, tape)
        return .targets
    }

    private func rule(_ model: String, _ table: RouteTable, _ context: RequestContext) -> RouteRule? {
        let facts = RequestFacts(model: model, context: context)
        return table.rules.first { $0.condition.matches(facts) }
    }

    // MARK: Names

    /// - Returns: `nil` for the built-in model.
    private func find(_ name: String, preferred: [String], _ context: RequestContext) throws(Rejection) -> Route? {
        let place = (snapshot: ObjectIdentifier(context.snapshot), directory: directory.revision)
        if foundIn.map({ $0 != place }) ?? true {
            found = [:]
            foundIn = place
        }
        if let provider = preferred.isEmpty ? nil : self.preferred(preferred, name, context.snapshot) {
            return try find(provider + "/" + name, preferred: [], context)
        }
        if let route = found[name] { return route }
        guard let route = try search(name, context) else { return nil }
        if found.count >= Self.foundMax { found = [:] }
        found[name] = route
        return route
    }

    /// The first of the preferred providers that has a model which the configuration leaves to whoever lists it.
    private func preferred(_ providers: [String], _ name: String, _ snapshot: ConfigSnapshot) -> String? {
        if snapshot.routes.isConfigured(name) || name == Self.echoModel || explicit(name, snapshot) != nil { return nil }
        return providers.first { snapshot.providers[$0]?.knows(model: name) == true || directory.lists(name, $0) }
    }

    private func search(_ name: String, _ context: RequestContext) throws(Rejection) -> Route? {
        let snapshot = context.snapshot
        if let route = snapshot.routes.patternRoute(for: name, isOpen: false) { return route }
        if let (provider, model) = explicit(name, snapshot) {
            return snapshot.routes.direct(provider, model, name: name)
        }
        if name == Self.echoModel { return nil }
        if !name.isEmpty, let route = snapshot.routes.patternRoute(for: name, isOpen: true) { return route }
        if snapshot.providers.count > 1, !name.isEmpty, let owner = owner(of: name, snapshot) {
            return snapshot.routes.direct(owner, name, name: name)
        }
        if let provider = snapshot.defaultProvider { return snapshot.routes.direct(provider, name, name: name) }
        throw notFound(name, context)
    }

    /// `provider/model`.
    private func explicit(_ name: String, _ snapshot: ConfigSnapshot) -> (Provider, String)? {
        guard let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")),
            let provider = snapshot.providers[String(name[..<slash])]
        else { return nil }
        return (provider, String(name[name.index(after: slash)...]))
    }

    private func owner(of model: String, _ snapshot: ConfigSnapshot) -> Provider? {
        for provider in snapshot.providers.values.sorted(by: { $0.name < $1.name }) where provider.knows(model: model) {
            return provider
        }
        return directory.owner(of: model).flatMap { snapshot.providers[$0] }
    }

    // MARK: Order

    /// The best of the route's targets first, by its strategies; those that are known not to answer last.
    private func order(
        _ route: Route, _ rule: RouteRule?, _ name: String, _ context: RequestContext, _ request: IncomingRequest,
        _ tape: JSONTape
    ) -> [RouteTarget] {
        var question = BalancingQuestion(now: context.exchange.loop.now)
        question.isStream = context.isStream
        if route.asksNeeds { question.needs = RequestNeeds(request, context, tape: tape) }
        graded.removeAll(keepingCapacity: true)
        var isMixed = false
        for stage in route.stages {
            if let affinity = stage.affinity {
                question.key = affinity.hash(of: RequestFacts(model: name, context: context))
            }
            question.ranks = rule?.ranks(stage.targets)
            question.weights = rule?.weights(stage.targets)
            placements.removeAll(keepingCapacity: true)
            stage.group.place(question, random: &random, into: &placements)
            for placement in placements {
                if placement.grade != .good { isMixed = true }
                graded.append((placement.grade, stage.targets[placement.position]))
            }
        }
        var targets: [RouteTarget] = []
        targets.reserveCapacity(graded.count)
        for grade in TargetGroup.Grade.allCases {
            for entry in graded where entry.grade == grade { targets.append(entry.target) }
            if !isMixed { break }
        }
        // They hold targets of a configuration that may be gone soon.
        graded.removeAll(keepingCapacity: true)
        return targets
    }

    // MARK: Nobody

    private func notFound(_ name: String, _ context: RequestContext) -> Rejection {
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
        if name != context.model {
            return Rejection(
                .caller, 404, code: "model_not_found",
                "The model \"\(context.model)\" stands for \"\(name)\" here, which is not known.", param: "model")
        }
        let nearest = Suggestion.nearest(to: name, among: context.snapshot.routes.suggestions)
        let question = nearest.map { " Did you mean \"\($0)\"?" } ?? ""
        return Rejection(
            .caller, 404, code: "model_not_found",
            "The model \"\(context.model)\" is not known.\(question) Use a configured model, PROVIDER/MODEL with one of \(names.joined(separator: ", ")), or set default_provider.",
            param: "model")
    }
}
