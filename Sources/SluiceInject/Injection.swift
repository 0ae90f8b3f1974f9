internal import SluiceCore
internal import SluiceJSON
internal import SluicePolicy

/// One pod that is injected, or was and is looked at again.
struct Injection {
    private let pod: PodFacts
    private var plan: SidecarPlan

    init(_ pod: PodFacts, _ plan: SidecarPlan) {
        self.pod = pod
        self.plan = plan
    }

    func reply(to review: AdmissionReview, _ issueKey: () -> Secret) -> AdmissionReply {
        let namesake = (pod.containers + pod.initContainers).first { $0.name == SidecarPlan.containerName }
        guard let namesake else { return inject(review, issueKey()) }
        if let key = namesake.variable(SidecarPlan.keyVariable)?.value { return complete(review, namesake, Secret(key)) }
        return AdmissionReply(
            uid: review.uid, warnings: ["sluice is not injected: the pod has a container named sluice that is none of ours"],
            decision: Decision(outcome: .skipped, reason: .nameTaken))
    }

    private func inject(_ review: AdmissionReview, _ key: Secret) -> AdmissionReply {
        var plan = plan
        plan.podKey = key
        let variables = VariablePlan(pod, plan)
        // On the node's own network everybody is a neighbour.
        plan.trustsPod = variables.keepsKeys && !pod.isHostNetwork
        var warnings = plan.warnings + variables.warnings
        if variables.keepsKeys { warnings.append(Self.keepsKey(plan.trustsPod)) }
        var patch = JSONPatch()
        addMetadata(&patch)
        add(variables, plan, &patch)
        let volumes = VolumeNames(plan, beside: pod.volumes ?? [])
        addVolumes(volumes, plan, &patch)
        addContainer(SidecarWriter(plan: plan, volumes: volumes), &patch)
        return AdmissionReply(
            uid: review.uid, patch: patch.finished(), warnings: warnings,
            decision: Decision(outcome: .injected, reason: .none))
    }

    private static func keepsKey(_ isTrusted: Bool) -> String {
        isTrusted
            ? "a container keeps its own OPENAI_API_KEY: sluice takes whatever is shown within the pod (sluice.io/env: override sets a key that only this pod has)"
            : "a container keeps its own OPENAI_API_KEY, which sluice refuses on the node's network (sluice.io/env: override)"
    }

    /// Containers that came after the sidecar, from other webhooks, get their variables; nothing else is done twice.
    private func complete(_ review: AdmissionReview, _ sidecar: ContainerFacts, _ key: Secret) -> AdmissionReply {
        var plan = plan
        plan.podKey = key
        plan.kind = sidecar.isInit ? .native : .container
        if let port = pod.annotations?[PodAnnotation.status.name].flatMap(InjectionStatus.init)?.port { plan.port = port }
        if plan.variables == .override { plan.variables = .keep }
        // What has one of the two was seen before, or goes its own way.
        let changes = VariablePlan(pod, plan).changes.filter { $0.setsBaseURL && $0.setsKey }
        if changes.isEmpty {
            return AdmissionReply(uid: review.uid, decision: Decision(outcome: .skipped, reason: .alreadyInjected))
        }
        var patch = JSONPatch()
        for change in changes { set(change, plan, &patch) }
        return AdmissionReply(
            uid: review.uid, patch: patch.finished(), decision: Decision(outcome: .completed, reason: .alreadyInjected))
    }

    // MARK: The patch

    private func addMetadata(_ patch: inout JSONPatch) {
        let metadata = JSONPointer.root.appending("metadata")
        if !pod.hasMetadata { patch.add(metadata) { json in json.object { _ in } } }
        let status = InjectionStatus(port: plan.port)
        Self.add(PodAnnotation.status.name, status.text, to: metadata.appending("annotations"), pod.annotations != nil, &patch)
        Self.add(PodAnnotation.injectedLabel, "true", to: metadata.appending("labels"), pod.labels != nil, &patch)
    }

    private static func add(
        _ name: String, _ value: String, to object: JSONPointer, _ isThere: Bool, _ patch: inout JSONPatch
    ) {
        if isThere { return patch.add(object.appending(name)) { json in json.string(value) } }
        patch.add(object) { json in
            json.object { json in
                json.key(name.utf8Span.span)
                json.string(value)
            }
        }
    }

    private func add(_ variables: VariablePlan, _ plan: SidecarPlan, _ patch: inout JSONPatch) {
        for change in variables.changes {
            if plan.variables == .override {
                override(change, plan, &patch)
            } else {
                set(change, plan, &patch)
            }
        }
    }

    /// Before the container's own: those may refer to them.
    private func set(_ change: VariablePlan.Change, _ plan: SidecarPlan, _ patch: inout JSONPatch) {
        let list = change.container.path.appending("env")
        if change.container.variables == nil { patch.add(list) { json in json.array { _ in } } }
        if change.setsKey { patch.add(list.appending(0)) { Self.write(VariablePlan.key, plan.podKey, &$0) } }
        if change.setsBaseURL {
            patch.add(list.appending(0)) { Self.write(VariablePlan.baseURL, Secret(plan.baseURL), &$0) }
        }
    }

    private func override(_ change: VariablePlan.Change, _ plan: SidecarPlan, _ patch: inout JSONPatch) {
        let list = change.container.path.appending("env")
        let values = [(VariablePlan.baseURL, Secret(plan.baseURL)), (VariablePlan.key, plan.podKey)]
        for (index, variable) in (change.container.variables ?? []).enumerated() {
            guard let value = values.first(where: { $0.0 == variable.name }) else { continue }
            patch.replace(list.appending(index)) { Self.write(value.0, value.1, &$0) }
        }
        set(
            VariablePlan.Change(
                container: change.container, setsBaseURL: change.container.variable(VariablePlan.baseURL) == nil,
                setsKey: change.container.variable(VariablePlan.key) == nil), plan, &patch)
    }

    private static func write(_ name: String, _ value: Secret, _ json: inout JSONWriter) {
        json.object { json in
            json.key("name")
            json.string(name)
            json.key("value")
            value.withExposed { json.string($0) }
        }
    }

    private func addVolumes(_ volumes: VolumeNames, _ plan: SidecarPlan, _ patch: inout JSONPatch) {
        let list = JSONPointer.root.appending("spec").appending("volumes")
        var isThere = pod.volumes != nil
        volumes.forEach(plan) { write in
            if !isThere { patch.add(list) { json in json.array { _ in } } }
            isThere = true
            patch.add(list.appending("-"), write)
        }
    }

    /// The first: what comes after it has Sluice from its beginning.
    private func addContainer(_ writer: SidecarWriter, _ patch: inout JSONPatch) {
        let spec = JSONPointer.root.appending("spec")
        switch writer.plan.kind {
        case .native:
            let list = spec.appending("initContainers")
            if !pod.hasInitContainers { patch.add(list) { json in json.array { _ in } } }
            patch.add(list.appending(0)) { writer.writeContainer(&$0) }
        case .container: patch.add(spec.appending("containers").appending(0)) { writer.writeContainer(&$0) }
        }
    }
}

/// What the injector notes at a pod that it has injected: `port=4010`.
struct InjectionStatus {
    let port: Int

    init(port: Int) { self.port = port }

    init?(_ text: String) {
        guard text.hasPrefix("port="), let port = Int(text.dropFirst(5)), 1...65_535 ~= port else { return nil }
        self.init(port: port)
    }

    var text: String { "port=\(port)" }
}
