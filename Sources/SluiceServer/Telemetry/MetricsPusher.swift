internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet

/// One receiver of metrics, as the configuration has it.
struct MetricsPushPlan: TelemetryPlan {
    let settings: MetricsPushConfiguration
    let receiver: TelemetryReceiver

    var name: String { receiver.name }

    init(_ settings: MetricsPushConfiguration, at path: String) throws(ConfigErrors) {
        self.settings = settings
        receiver = try TelemetryReceiver(settings.receiver, at: path)
    }

    func start(_ scope: TelemetryScope) -> any TelemetryService { MetricsPusher(self, scope) }

    /// Whether the same series go to the same place.
    func continues(_ other: any TelemetryPlan) -> Bool {
        guard let other = other as? Self else { return false }
        return settings.kind == other.settings.kind && settings.receiver.url == other.settings.receiver.url
            && settings.job == other.settings.job && settings.instance == other.settings.instance
            && settings.labels == other.settings.labels
    }
}

/// Sends all metrics to one receiver again and again, and says goodbye at the end.
final class MetricsPusher: TelemetryService, TimerTarget {
    private enum Format {
        case pushgateway(PushgatewayGroup)
        case remoteWrite(RemoteWriter)
    }

    private let settings: MetricsPushConfiguration
    private let scope: TelemetryScope
    private let sender: TelemetrySender
    private var format: Format
    private var timer: LoopTimer?
    private var isHandedOver = false
    /// Those who start together do not send together.
    private static let firstWithin = Duration.seconds(5)

    init(_ plan: MetricsPushPlan, _ scope: TelemetryScope) {
        settings = plan.settings
        self.scope = scope
        sender = TelemetrySender(plan.receiver, scope)
        var labels = [(name: "job", value: settings.job), (name: "instance", value: settings.instance ?? scope.instance)]
        labels += settings.labels.map { ($0.name, $0.value) }
        format =
            switch settings.kind {
            case .pushgateway: .pushgateway(PushgatewayGroup(labels))
            case .remoteWrite: .remoteWrite(RemoteWriter(labels, samplesMax: settings.samplesMax))
            }
        let timer = LoopTimer(target: self)
        self.timer = timer
        var random = SplitMix64(scope.makeSeed())
        let within = min(settings.interval, Self.firstWithin)
        scope.loop.arm(timer, after: Duration(wholeNanoseconds: Int64.random(in: 0...within.nanoseconds, using: &random)))
    }

    func timerFired(_ timer: LoopTimer) {
        if isHandedOver { return }
        scope.loop.arm(timer, after: settings.interval)
        push()
    }

    private func push() {
        let collection = scope.registry.collect()
        switch format {
        case .pushgateway(let group): sender.send(group.replacement(collection))
        case .remoteWrite(var writer):
            for message in writer.messages(collection, at: Self.milliseconds) { sender.send(message) }
            format = .remoteWrite(writer)
        }
    }

    private static var milliseconds: Int { Int(EventLoop.readWallClock() / 1_000_000) }

    // MARK: The end

    func handOver() { isHandedOver = true }

    func deadline(endingAt now: Instant) -> Instant {
        now + settings.receiver.timeout + (settings.kind == .pushgateway ? settings.linger : .zero)
    }

    /// The last counts, then that there are no more: who is gone is not to stand in a Pushgateway for ever.
    func finish(by deadline: Instant) async {
        if let timer { scope.loop.remove(timer) }
        timer = nil
        if isHandedOver { return await sender.finish(by: deadline) }
        push()
        if case .remoteWrite(var writer) = format {
            for message in writer.ending(at: Self.milliseconds) { sender.send(message) }
        }
        await sender.finish(by: deadline)
        guard case .pushgateway(let group) = format else { return }
        await linger(until: deadline)
        if scope.loop.now < deadline { await sender.sendNow(group.deletion, by: deadline) }
    }

    /// - Parameter deadline: when even the deletion has to be done.
    private func linger(until deadline: Instant) async {
        guard settings.linger > .zero, sender.status.current.troubledSince == nil else { return }
        await scope.loop.pause(for: max(.zero, min(settings.linger, deadline - EventLoop.readClock())))
    }
}
