internal import SluiceConfig
internal import SluiceNet

/// Turns what the configuration says of receivers of telemetry into what is started for them.
enum TelemetryBuilder {
    static func plans(_ configuration: ServerConfiguration) throws(ConfigErrors) -> [any TelemetryPlan] {
        var plans: [any TelemetryPlan] = []
        for (index, push) in configuration.metrics.push.enumerated() {
            plans.append(try MetricsPushPlan(push, at: "metrics.push[\(index)]"))
        }
        if let telemetry = configuration.telemetry, let otlp = telemetry.otlp {
            plans.append(
                OTLPPlan(receiver: try TelemetryReceiver(otlp.receiver, at: "telemetry.otlp"), settings: otlp, telemetry: telemetry))
        }
        return plans
    }

    /// What tells this process from others: the pod's name, or the host's, and where it listens.
    static func instance(_ environment: ConfigEnvironment, _ addresses: [SocketAddress]) -> String {
        let host = environment.nonEmptyVariable("POD_NAME") ?? RecordsBuilder.hostName
        guard let port = addresses.first(where: { !$0.isUnix })?.port else { return host }
        return "\(host):\(port)"
    }
}
