internal import SluiceCore
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream
internal import Synchronization

/// What is told of a configured model to whoever may read models: who answers it, for how much, and how that has been going.
enum ModelDetails {
    /// Prices are in millionths per million tokens.
    private static let tokensPerPrice = 1_000_000_000_000.0

    /// Adds members to an entry of the platform's list; none for a model that the configuration does not name.
    static func write(_ name: String, _ context: RequestContext, _ json: inout JSONWriter) {
        guard context.principal.access.allows(.readModels) else { return }
        let snapshot = context.snapshot
        guard let route = snapshot.routes.routes[snapshot.routes.aliases[name] ?? name] else { return }
        let now = EventLoop.readClock()
        json.key("id")
        json.string(route.name)
        json.key("version")
        optional(snapshot.lasting.modelVersions.withLock { $0[route.name] }, &json)
        json.key("strategy")
        json.string(route.strategy.rawValue)
        json.key("max_concurrency")
        optional(snapshot.concurrency?.settings[GateID(.model, route.name)]?.limit, &json)
        json.key("targets")
        json.array { json in for target in route.targets { write(target, snapshot, at: now, &json) } }
        let totals = route.targets.map { total(of: $0, snapshot) }
        writeMeasured(totals.reduce(TargetTotals(), +), &json)
    }

    private static func write(
        _ target: RouteTarget, _ snapshot: ConfigSnapshot, at now: Instant, _ json: inout JSONWriter
    ) {
        json.object { json in
            json.key("provider")
            json.string(target.provider.name)
            json.key("model")
            json.string(target.upstreamModel)
            json.key("endpoint")
            let endpoint = endpoint(of: target.provider)
            json.string(endpoint.span)
            // Whether there is one: that is all that is told of it.
            json.key("api_key")
            if target.provider.keys.isEmpty { json.null() } else { json.string("<set>") }
            json.key("status")
            json.string(target.state.isAvailable(at: now) ? "active" : "unavailable")
            json.key("max_concurrency")
            optional(snapshot.concurrency?.settings[GateID(.provider, target.provider.name)]?.limit, &json)
            json.key("price_per_token")
            if let price = target.traits.price { write(price, &json) } else { json.null() }
            writeMeasured(total(of: target, snapshot), &json)
        }
    }

    private static func endpoint(of provider: Provider) -> ByteBuffer {
        let text = ByteBuffer(capacity: 64)
        text.append(provider.endpoint.isTLS ? "https://" : "http://")
        let (authority, path) = (provider.endpoint.authority, provider.basePath)
        text.append(authority.span)
        text.append(path.span)
        return text
    }

    private static func optional(_ number: Int?, _ json: inout JSONWriter) {
        if let number { json.int(number) } else { json.null() }
    }

    private static func write(_ price: TargetPrice, _ json: inout JSONWriter) {
        json.object { json in
            json.key("input")
            json.double(Double(price.inputMicros) / tokensPerPrice)
            json.key("output")
            json.double(Double(price.outputMicros) / tokensPerPrice)
        }
    }

    private static func total(of target: RouteTarget, _ snapshot: ConfigSnapshot) -> TargetTotals {
        snapshot.lasting.past.of(target.state.id) + target.state.load.totals
    }

    /// `null` where nothing was asked.
    private static func writeMeasured(_ totals: TargetTotals, _ json: inout JSONWriter) {
        json.key("average_latency_ms")
        if let latency = totals.averageLatencyMilliseconds { json.double(latency) } else { json.null() }
        json.key("success_rate")
        if let rate = totals.successRate { json.double(rate) } else { json.null() }
    }
}
