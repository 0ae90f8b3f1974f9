internal import SluiceCore
/// Somebody who is sent all metrics again and again.
package struct MetricsPushConfiguration: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A Prometheus Pushgateway, which keeps what it was sent last until Prometheus comes for it.
        case pushgateway
        /// Whatever takes Prometheus remote-write 1.0.
        case remoteWrite = "remote_write"
    }

    package var kind = Kind.pushgateway
    package var receiver = TelemetryReceiverConfiguration()
    /// 1 s to 1 h. Default 15 s.
    package var interval = Duration.seconds(15)
    /// Default `sluice`.
    package var job = "sluice"
    /// `nil`: the host's name and the port of the first listener.
    package var instance: String?
    /// Beside job and instance.
    package var labels: [Named<String>] = []
    /// Of a Pushgateway: 0 to 60 s. Default 0.
    package var linger = Duration.zero
    /// Of remote-write: 100 to 10,000. Default 2000.
    package var samplesMax = 2000

    package init() {}

    static func read(_ section: ConfigSection) -> Self {
        var push = Self()
        push.kind = section.required(
            "kind", .choice(),
            doc: "`pushgateway`: Prometheus' Pushgateway. `remote_write`: whatever takes Prometheus remote-write 1.0.")
        push.receiver = .read(
            section, name: push.kind.rawValue,
            urlDoc: "Of a Pushgateway what stands before `/metrics/job`; of remote-write the whole URL, as `http://prometheus:9090/api/v1/write`.")
        push.interval = section.duration(
            "interval_ms", default: push.interval, in: 1000...3_600_000, doc: "How often metrics are sent.")
        push.job = section.string("job", default: push.job, bytes: 1...256, doc: "The label `job`.")
        push.instance = section.optionalString(
            "instance", bytes: 1...256,
            doc: "The label `instance`, which two processes must not share. null: `POD_NAME`, or the host's name, and the port of the first listener.")
        push.labels = section.dictionary(
            "labels", of: .string(bytes: 1...256), names: .labels, count: 0...16,
            doc: "More labels, for all metrics. Where a metric has such a label itself, that one gets `exported_` before its name."
        ).map { Named($0.name, $0.value) }
        push.linger = section.duration(
            "linger_ms", default: push.linger, in: 0...60_000,
            doc: "Of a Pushgateway: how long the last metrics stay there when Sluice ends, before they are deleted. As long as Prometheus needs to come for them once; the exit takes as much longer.")
        push.samplesMax = section.integer(
            "samples_max", default: push.samplesMax, in: 100...10_000, doc: "Of remote-write: samples in one message.")
        return push
    }
}

extension ConfigNames {
    /// For labels of ours: those that Prometheus gives a meaning of its own are not among them.
    static let labels = ConfigNames("a label's name of 1 to 64 letters, digits and \"_\", with no digit and no \"__\" first, other than job, instance, le and quantile") {
        name in
        1...64 ~= name.utf8.count && !name.hasPrefix("__") && !["job", "instance", "le", "quantile"].contains(name)
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || $0 == UInt8(ascii: "_") }
            && name.utf8.first?.isDecimalDigit == false
    }
}
