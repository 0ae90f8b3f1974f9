internal import SluiceCore
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

/// What is told of a configured model to whoever may read models: who answers it, for how much, and how that has been going.
enum ModelDetails {
    /// Prices are in millionths per million tokens.
    private static let tokensPerPrice = 1_000_000_000_000.0

    /// Adds members to an entry of the platform's list; none for a model that the configuration does not name.
    static func write(_ name: String, _ context: RequestContext, _ json: inout JSONWriter) {
        guard context.principal.access.allows(.readModels) else { return }
        let routes = context.snapshot.routes
        guard let route = routes.routes[routes.aliases[name] ?? name] else { return }
        let now = EventLoop.readClock()
        json.key("id")
        json.string(route.name)
        json.key("strategy")
        json.string(route.strategy.rawValue)
        json.key("targets")
        json.array { json in for target in route.targets { write(target, at: now, &json) } }
        writeMeasured(route.targets, at: now, &json)
    }

    private static func write(_ target: RouteTarget, at now: Instant, _ json: inout JSONWriter) {
        json.object { json in
            json.key("provider")
            json.string(target.provider.name)
            json.key("model")
            json.string(target.upstreamModel)
            json.key("price_per_token")
            if let price = target.traits.price { write(price, &json) } else { json.null() }
            writeMeasured([target], at: now, &json)
        }
    }

    private static func write(_ price: TargetPrice, _ json: inout JSONWriter) {
        json.object { json in
            json.key("input")
            json.double(Double(price.inputMicros) / tokensPerPrice)
            json.key("output")
            json.double(Double(price.outputMicros) / tokensPerPrice)
        }
    }

    /// Of this process, since it began: `null` where nothing was asked.
    private static func writeMeasured(_ targets: [RouteTarget], at now: Instant, _ json: inout JSONWriter) {
        let answers = targets.reduce(0) { $0 + $1.state.load.answerCount }
        let failures = targets.reduce(0) { $0 + $1.state.load.failureCount }
        let latencies = targets.compactMap { $0.state.load.latency(isStream: false, at: now) }
        json.key("average_latency_ms")
        if latencies.isEmpty {
            json.null()
        } else {
            json.double(latencies.reduce(0) { $0 + Double($1.nanoseconds) / 1e6 } / Double(latencies.count))
        }
        json.key("success_rate")
        if answers == 0 { json.null() } else { json.double(Double(max(0, answers - failures)) / Double(answers)) }
    }
}
