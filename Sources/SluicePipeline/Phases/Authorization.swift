internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluicePolicy
internal import SluiceProviders

/// Lets a principal do what his roles allow, and nothing else: 403.
///
/// In three steps, each as soon as what it asks for is known: the endpoint, before the body is taken; the model and the scene, before
/// anything kept is answered; and, once the plan is made, who may answer.
enum Authorization {
    static func admitEndpoint(_ demand: Reception.Demand, _ context: RequestContext) throws(Rejection) {
        // Each of its operations says what it takes.
        if case .management = demand { return }
        let access = context.principal.access
        let isAllowed: Bool
        if context.operation == .passage, !context.countsTokens {
            isAllowed = access.allows(endpoint: passage(context))
        } else {
            isAllowed = access.allows(endpoint: context.route)
        }
        if isAllowed { return }
        throw forbidden(
            "endpoint_not_allowed", "This credential may not use \(context.route).", context)
    }

    /// `/v1/files` for all that is under it: the segment is one of a closed set, however it is spelled; what follows is the caller's.
    private static func passage(_ context: RequestContext) -> String {
        guard let target = try? RequestTarget(context.exchange.head.target), target.segmentCount > 1 else { return "" }
        return "/v1/" + String(decoding: target.segment(1))
    }

    static func admitRequest(_ context: RequestContext) throws(Rejection) {
        let access = context.principal.access
        if !access.allowsAllModels { try admitModel(context, access) }
        if !access.allowsAllScenes, !access.allows(scene: context.scene ?? "") {
            throw forbidden(
                "scene_not_allowed",
                context.scene == nil
                    ? "This credential is for certain scenes: name one in parameters.prompt_id."
                    : "This credential may not use the scene.", context, param: "parameters.prompt_id")
        }
    }

    private static func admitModel(_ context: RequestContext, _ access: Access) throws(Rejection) {
        if context.model.isEmpty {
            // A batch, a fine-tuning job: what is in it would not be looked at.
            switch context.exchange.head.method {
            case .get, .head, .delete: return
            default:
                throw forbidden(
                    "model_not_allowed",
                    "This credential is for certain models, and the request does not say which one it is for.", context,
                    param: "model")
            }
        }
        if ModelNames(context.model, context.snapshot).areAllowed(by: access) { return }
        throw forbidden(
            "model_not_allowed", "This credential may not use the model. GET /v1/models lists those that it may.",
            context, param: "model")
    }

    /// Takes those out of the plan who may not be asked.
    static func admitPlan(_ context: RequestContext) throws(Rejection) {
        let access = context.principal.access
        if access.allowsAllModels, access.allowsAllProviders { return }
        if let route = context.plan.route, access.denies(model: route.name) {
            throw forbidden(
                "model_not_allowed", "This credential may not use the model that the name stands for.", context,
                param: "model")
        }
        if context.plan.targets.isEmpty { return }
        let count = context.plan.targets.count
        context.plan.targets.removeAll { !isUsable($0, by: access) }
        context.plan.isRestricted = context.plan.targets.count < count
        if !context.plan.targets.isEmpty { return }
        throw forbidden(
            "provider_not_allowed", "This credential may not use any provider that has the model.", context,
            param: "model")
    }

    static func isUsable(_ target: RouteTarget, by access: Access) -> Bool {
        access.allows(provider: target.provider.name) && !access.denies(model: target.upstreamModel)
            && (target.model.isEmpty || !access.denies(model: target.model))
    }

    private static func forbidden(
        _ code: String, _ message: String, _ context: RequestContext, param: String? = nil
    ) -> Rejection {
        context.snapshot.lasting.accessWatch.refused(
            RefusedAccess(
                reason: code, status: 403, principal: context.principal.id, address: context.exchange.peer.host,
                route: "\(context.route)", model: context.model.isEmpty ? nil : context.model,
                requestID: context.requestID))
        return Rejection(.caller, 403, type: "permission_error", code: code, message, param: param)
    }
}

extension ConfigSnapshot {
    /// Whether somebody may use a model that lists have.
    func isUsable(_ model: String, of owner: String, by access: Access) -> Bool {
        guard ModelNames(model, self).areAllowed(by: access) else { return false }
        if model == Routing.echoModel { return true }
        guard let route = routes.routes[routes.aliases[model] ?? model] else { return access.allows(provider: owner) }
        return !access.denies(model: route.name) && route.targets.contains { Authorization.isUsable($0, by: access) }
    }
}

/// The names by which roles may know a model that is asked for.
struct ModelNames {
    private let asked: String
    /// What an alias of that name stands for.
    private let meant: String
    /// Behind `provider/`.
    private let bare: String?

    init(_ asked: String, _ snapshot: ConfigSnapshot) {
        self.asked = asked
        meant = snapshot.routes.aliases[asked] ?? asked
        if let slash = meant.utf8.firstIndex(of: UInt8(ascii: "/")), snapshot.providers[String(meant[..<slash])] != nil {
            bare = String(meant[meant.index(after: slash)...])
        } else {
            bare = nil
        }
    }

    /// One of them is allowed, and none is denied.
    func areAllowed(by access: Access) -> Bool {
        if access.denies(model: asked) || access.denies(model: meant) || bare.map(access.denies(model:)) == true {
            return false
        }
        return access.allows(model: asked) || access.allows(model: meant)
            || bare.map(access.allows(model:)) == true
    }
}
