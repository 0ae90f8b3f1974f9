internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy

/// `/targets` of the admin port: what every target is doing, and which models it answers; and a way to have it asked again.
final class TargetsEndpoint: AdminRoute {
    let name = "/targets"
    private let shared: Shared
    /// Callers may ask for any name of a model: so many of those that the configuration does not name are shown.
    private static let otherCountMax = 1000

    init(shared: Shared) { self.shared = shared }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        let path = String(decoding: head.path)
        if path.hasPrefix("/targets/"), path.hasSuffix("/reset") {
            reset(path.dropFirst("/targets/".count).dropLast("/reset".count), exchange)
            return true
        }
        if path != "/targets" { return false }
        read(exchange) { report(at: exchange.loop.now) }
        return true
    }

    private func report(at now: Instant) -> ByteBuffer {
        let configured = configured()
        var otherCount = 0
        let buffer = ByteBuffer(capacity: 4096)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("targets")
            json.array { json in
                for state in shared.lasting.targets.all {
                    let uses = configured[ObjectIdentifier(state)] ?? []
                    if uses.isEmpty { otherCount += 1 }
                    if uses.isEmpty, otherCount > Self.otherCountMax { continue }
                    write(state, uses, now, &json)
                }
            }
        }
        return buffer
    }

    /// The configured targets, by what is known of them: one target may answer several models.
    private func configured() -> [ObjectIdentifier: [RouteTarget]] {
        var uses: [ObjectIdentifier: [RouteTarget]] = [:]
        for (name, route) in shared.current.snapshot.routes.routes.sorted(by: { $0.key < $1.key }) {
            for target in route.targets where target.model == name {
                uses[ObjectIdentifier(target.state), default: []].append(target)
            }
        }
        return uses
    }

    private func write(_ state: TargetState, _ uses: [RouteTarget], _ now: Instant, _ json: inout JSONWriter) {
        json.object { json in
            json.member("provider", state.id.provider)
            json.member("model", state.id.model)
            json.key("models")
            json.array { json in
                for use in uses {
                    json.object { json in
                        json.member("model", use.model)
                        json.member("weight", use.traits.weight)
                    }
                }
            }
            json.member("available", state.isAvailable(at: now))
            writeLoad(state.load, now, &json)
            TargetHealthReport.write(state.health, shared.current.snapshot.recovery, now, &json)
        }
    }

    /// `/targets/PROVIDER/MODEL/reset`: the target is asked again, as if nothing had ever happened. A model's name may have slashes,
    /// as they are or percent-encoded.
    private func reset(_ place: Substring, _ exchange: DownstreamExchange) {
        if !mayChange(exchange) { return }
        let words = place.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let model = words.count == 2 ? AdminEndpoint.decoded(words[1]) : ""
        let states = shared.lasting.targets.all
        guard let state = states.first(where: { $0.id.provider == words[0] && $0.id.model == model }) else {
            return AdminEndpoint.send(404, #"{"error":"There is no such target."}"#, to: exchange)
        }
        if let transition = state.health.reset() { BreakerLog(shared.log).note(transition, state) }
        state.open()
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        write(state, configured()[ObjectIdentifier(state)] ?? [], exchange.loop.now, &json)
        AdminEndpoint.send(200, buffer, to: exchange)
    }

    private func writeLoad(_ load: TargetLoad, _ now: Instant, _ json: inout JSONWriter) {
        json.member("outstanding", load.outstanding)
        json.key("latency_ms")
        json.object { json in
            for (name, isStream) in [("stream", true), ("whole", false)] as [(StaticString, Bool)] {
                json.key(name)
                if let latency = load.latency(isStream: isStream, at: now) {
                    json.double(latency.milliseconds)
                } else {
                    json.null()
                }
            }
        }
        json.key("failure_share")
        json.double(load.failureShare(at: now))
        json.member("attempts", load.answerCount)
        json.member("failures", load.failureCount)
    }
}
