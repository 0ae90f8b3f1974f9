internal import SluiceCore

/// Traces, and what is sent to an OpenTelemetry receiver.
package struct TelemetryConfiguration: Sendable, Equatable {
    /// Default `sluice`.
    package var serviceName = "sluice"
    /// `nil`: made of the pod's or the host's name.
    package var instanceID: String?
    /// More of the resource's attributes.
    package var attributes: [Named<String>] = []
    /// `nil`: nothing is sent.
    package var otlp: OTLPConfiguration?
    /// `nil`: nobody traces.
    package var traces: TracesConfiguration?

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var telemetry = Self()
        telemetry.readResource(section)
        telemetry.otlp = section.optionalSection(
            "otlp",
            doc:
                "Sends traces, metrics and logs by OTLP over HTTP. What it does not say, the variables `OTEL_EXPORTER_OTLP_ENDPOINT`, `_HEADERS` and `_TIMEOUT` do. null: nothing is sent.",
            OTLPConfiguration.read)
        let traces = section.optionalSection(
            "traces",
            doc: "What is done about traces. null: the defaults where `otlp` sends traces, and otherwise nothing.",
            TracesConfiguration.read)
        let isSending = telemetry.otlp?.signals.contains(.traces) == true
        telemetry.traces = traces ?? (isSending ? TracesConfiguration() : nil)
        return telemetry
    }

    private mutating func readResource(_ section: ConfigSection) {
        let name = section.optionalString(
            "service_name", bytes: 1...256, doc: "`service.name` of the resource. null: `OTEL_SERVICE_NAME`, or `sluice`.")
        instanceID = section.optionalString(
            "instance_id", bytes: 1...256,
            doc: "`service.instance.id` of the resource, which two processes must not share. null: `POD_NAME`, or the host's name, and the port of the first listener.")
        attributes = section.dictionary(
            "attributes", of: .string(bytes: 1...1024), names: .attributes, count: 0...64,
            doc: "More attributes of the resource, before those in `OTEL_RESOURCE_ATTRIBUTES`."
        ).map { Named($0.name, $0.value) }
        if section.isDescribing { return }
        let environment = section.environment
        serviceName = name ?? environment.nonEmptyVariable("OTEL_SERVICE_NAME") ?? serviceName
        guard let text = environment.nonEmptyVariable("OTEL_RESOURCE_ATTRIBUTES") else { return }
        for pair in BaggageText.pairs(text) {
            if pair.name == "service.name" {
                // The variable of its own goes before (OpenTelemetry, "Environment Variable Specification").
                if name == nil, environment.nonEmptyVariable("OTEL_SERVICE_NAME") == nil { serviceName = pair.value }
            } else if pair.name == "service.instance.id" {
                instanceID = instanceID ?? pair.value
            } else if attributes.count < 64, !attributes.contains(where: { $0.name == pair.name }) {
                attributes.append(pair)
            }
        }
    }
}

/// `name=value,name=value` with percent signs before what means something: how OpenTelemetry's variables have lists (W3C Baggage).
enum BaggageText {
    static func pairs(_ text: String) -> [Named<String>] {
        text.split(separator: ",").compactMap { part in
            guard let equals = part.firstIndex(of: "=") else { return nil }
            let name = decoded(part[..<equals])
            return name.isEmpty ? nil : Named(name, decoded(part[part.index(after: equals)...]))
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let written = Array(text.utf8.drop { $0 == ASCII.space })
        var result: [UInt8] = []
        PercentCoding.append(written.span, isForm: false, to: &result)
        while result.last == ASCII.space { result.removeLast() }
        return String(decoding: result, as: UTF8.self)
    }
}

extension ConfigNames {
    /// Of attributes in OpenTelemetry.
    static let attributes = ConfigNames("a name of 1 to 128 letters, digits, \".\", \"_\", \"-\" and \"/\", other than service.name, service.instance.id and what begins with telemetry.") {
        name in
        1...128 ~= name.utf8.count && !["service.name", "service.instance.id"].contains(name) && !name.hasPrefix("telemetry.")
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "._-/".utf8.contains($0) }
    }
}
