internal import SluiceConfig
internal import SluiceCore

/// What stands around spans, metrics and log records in OTLP: who sends them. All three have the same shape
/// (opentelemetry/proto/collector/*/v1): `resource_*` (1) with a `resource` (1) and `scope_*` (2), which has a `scope` (1) and the
/// items (2).
struct OTLPEnvelope: Sendable, Equatable {
    /// A `Resource` message.
    private let resource: [UInt8]
    /// An `InstrumentationScope` message.
    private let scope: [UInt8]

    init(_ resource: [UInt8], version: String) {
        self.resource = resource
        let buffer = ByteBuffer(capacity: 64)
        let scope = ProtobufWriter(into: buffer)
        scope.string(1, "sluice")
        scope.string(2, version)
        self.scope = Self.bytes(of: buffer)
    }

    /// An export request.
    ///
    /// - Parameter items: each as a field of number 2.
    func request(_ items: (ProtobufWriter) -> Void) -> [UInt8] {
        let buffer = ByteBuffer(capacity: 4096)
        ProtobufWriter(into: buffer).message(1) { part in
            part.bytes(1, resource.span)
            part.message(2) { scoped in
                scoped.bytes(1, scope.span)
                items(scoped)
            }
        }
        return Self.bytes(of: buffer)
    }

    static func bytes(of buffer: ByteBuffer) -> [UInt8] {
        let span = buffer.span
        return unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }
}

/// What the process says of itself in OTLP.
enum OTLPResource {
    /// Variables that manifests fill from the downward API (kubernetes.io/docs/concepts/workloads/pods/downward-api).
    private static let variables: [(variable: String, attribute: StaticString)] = [
        ("POD_NAME", "k8s.pod.name"), ("POD_NAMESPACE", "k8s.namespace.name"), ("POD_UID", "k8s.pod.uid"),
        ("NODE_NAME", "k8s.node.name"),
    ]

    /// A `Resource` message; its attributes are field 1.
    ///
    /// - Parameter instance: what tells this process from others, where the configuration does not say.
    static func make(
        _ configuration: TelemetryConfiguration, instance: String, version: String, environment: ConfigEnvironment
    ) -> [UInt8] {
        let buffer = ByteBuffer(capacity: 512)
        let resource = ProtobufWriter(into: buffer)
        resource.attribute(1, "service.name", configuration.serviceName)
        resource.attribute(1, "service.instance.id", configuration.instanceID ?? instance)
        resource.attribute(1, "service.version", version)
        resource.attribute(1, "telemetry.sdk.name", constant: "sluice")
        resource.attribute(1, "telemetry.sdk.language", constant: "swift")
        resource.attribute(1, "telemetry.sdk.version", version)
        for (variable, attribute) in variables where !configuration.attributes.contains(where: { $0.name == "\(attribute)" }) {
            if let value = environment.nonEmptyVariable(variable) { resource.attribute(1, attribute, value) }
        }
        for attribute in configuration.attributes { resource.attribute(1, named: attribute.name, attribute.value) }
        return OTLPEnvelope.bytes(of: buffer)
    }
}
