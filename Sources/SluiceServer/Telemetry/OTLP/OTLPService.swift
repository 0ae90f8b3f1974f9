internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline

/// What the configuration says of sending by OTLP, ready to be started.
struct OTLPPlan: TelemetryPlan {
    let receiver: TelemetryReceiver
    let settings: OTLPConfiguration
    let telemetry: TelemetryConfiguration

    var name: String { receiver.name }

    func start(_ scope: TelemetryScope) -> any TelemetryService { OTLPService(self, scope) }

    func continues(_ other: any TelemetryPlan) -> Bool { other is Self }
}

/// Gathers spans, metrics and log lines, and sends them to one receiver. Lives on the loop of telemetry.
final class OTLPService: TelemetryService, TimerTarget {
    private let settings: OTLPConfiguration
    private let scope: TelemetryScope
    private var loop: EventLoop { scope.loop }
    private let sender: TelemetrySender
    private let envelope: OTLPEnvelope
    private let logs: OTLPLogs
    private var timer: LoopTimer?
    private var nextMetrics: Instant
    private var spanOpening: Int?
    private var logCopy: Int?
    /// Spans that found no room in the queue, as far as they are counted here.
    private var spansDropped: Int
    /// Of one message: several have room in the queue.
    private let byteCountMax: Int
    /// The end of the process waits for the receiver at most so long.
    private static let finishMax = Duration.seconds(5)

    init(_ plan: OTLPPlan, _ scope: TelemetryScope) {
        settings = plan.settings
        self.scope = scope
        let queueByteCountMax = plan.receiver.configuration.queueByteCountMax
        byteCountMax = min(settings.batchByteCountMax, queueByteCountMax / 4)
        spansDropped = scope.spans.counts.dropped
        if settings.signals.contains(.logs) { logCopy = scope.log.keepCopy(byteCountMax: queueByteCountMax) }
        sender = TelemetrySender(plan.receiver, scope)
        let resource = OTLPResource.make(
            plan.telemetry, instance: scope.instance, version: Server.version, environment: .process)
        envelope = OTLPEnvelope(resource, version: Server.version)
        logs = OTLPLogs(countMax: settings.batchCountMax, byteCountMax: byteCountMax)
        nextMetrics = scope.loop.now + settings.metricsInterval
        if settings.signals.contains(.traces) { openSpans(queueByteCountMax) }
        let timer = LoopTimer(target: self)
        self.timer = timer
        loop.arm(timer, after: settings.batchAge)
    }

    private func openSpans(_ queueByteCountMax: Int) {
        var limits = SpanQueue.Limits()
        limits.spanCountMax = settings.batchCountMax
        limits.byteCountMax = byteCountMax
        limits.queueByteCountMax = queueByteCountMax
        let loop = loop
        nonisolated(unsafe) let confined = self  // used on the loop of telemetry alone
        spanOpening = scope.spans.open(limits) { loop.execute { unsafe confined.sendSpans() } }
    }

    func timerFired(_ timer: LoopTimer) {
        loop.arm(timer, after: settings.batchAge)
        sendSpans()
        sendLogs()
        if loop.now >= nextMetrics {
            nextMetrics = loop.now + settings.metricsInterval
            // They count from the beginning: of those that a receiver has missed only the last would matter.
            if !sender.isWaiting(for: "/v1/metrics") { sendMetrics() }
        }
    }

    // MARK: Signals

    private func sendSpans() {
        if !settings.signals.contains(.traces) { return }
        let dropped = scope.spans.counts.dropped
        if dropped > spansDropped { sender.status.change { [spansDropped] in $0.droppedFull += dropped - spansDropped } }
        spansDropped = dropped
        for batch in scope.spans.take() {
            let body = envelope.request { $0.buffer.append(batch.bytes.span) }
            send(body, count: batch.spanCount, to: "/v1/traces")
        }
    }

    private func sendLogs() {
        if !settings.signals.contains(.logs) { return }
        let (lines, dropped) = scope.log.takeCopy()
        if dropped > 0 { sender.status.change { $0.droppedFull += dropped } }
        for message in logs.messages(lines.span, envelope) { send(message.body, count: message.records, to: "/v1/logs") }
    }

    private func sendMetrics() {
        if !settings.signals.contains(.metrics) { return }
        let metrics = OTLPMetrics(
            start: UInt64(ProcessMetrics.startedAt * 1e9), now: UInt64(clamping: EventLoop.readWallClock()))
        let collection = scope.registry.collect()
        for message in metrics.messages(collection, envelope, byteCountMax: byteCountMax) {
            send(message.body, count: message.points, to: "/v1/metrics")
        }
    }

    private func send(_ body: [UInt8], count: Int, to target: String) {
        var message = TelemetryMessage()
        message.target = target
        message.contentType = "application/x-protobuf"
        message.body = body
        message.itemCount = count
        message.refusedItems = { OTLPReply.refusedItems($0) }
        message.laterStatuses = [429, 502, 503, 504]
        sender.send(message)
    }

    // MARK: TelemetryService

    func deadline(endingAt now: Instant) -> Instant {
        now + min(sender.receiver.configuration.timeout, Self.finishMax)
    }

    func handOver() {}

    func finish(by deadline: Instant) async {
        if let timer { loop.remove(timer) }
        timer = nil
        sendSpans()
        sendLogs()
        sendMetrics()
        if let spanOpening { scope.spans.close(spanOpening) }
        if let logCopy { scope.log.endCopy(logCopy) }
        await sender.finish(by: deadline)
    }
}
