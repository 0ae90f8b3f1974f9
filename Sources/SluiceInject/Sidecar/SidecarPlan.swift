internal import SluiceCore

/// What becomes of one pod: everything that defaults, annotations and the pod itself decide.
struct SidecarPlan {
    var kind = SidecarKind.native
    var image = ""
    var pullPolicy: String?
    var port = 4010
    var adminPort = 4011
    var workers = 2
    /// A ConfigMap and the key of the configuration in it.
    var config: (name: String, key: String)?
    /// A Secret whose keys become variables of the sidecar. One that an annotation names has to be there.
    var secret: (name: String, isOptional: Bool)?
    /// A Secret whose keys become files of the sidecar.
    var secretFiles: String?
    /// `nil`: all.
    var models: [String]?
    var logLevel = "info"
    var resources = SidecarResources()
    var variables = VariableRule.keep
    var skipped: Set<String> = []
    var hasStorage = false
    /// What the application's containers show, and only this pod's sidecar knows.
    var podKey = Secret("")
    /// Whoever connects within the pod is let in, whatever he shows: a container keeps a key of its own.
    var trustsPod = false
    var graceSeconds = 30
    /// No other port of the pod has it.
    var adminPortName: String?
    /// What the person should know who creates the pod.
    var warnings: [String] = []

    static let containerName = "sluice"
    static let keyVariable = "SLUICE_POD_KEY"
    static let configKey = "sluice.json5"
    private static let portName = "sluice-admin"

    var baseURL: String { "http://127.0.0.1:\(port)/v1" }

    /// What is wrong, all of it.
    struct Refused: Error {
        let mistakes: [String]
    }

    init(_ pod: PodFacts, _ defaults: SidecarDefaults) throws(Refused) {
        var reader = AnnotationReader(pod.annotations ?? [:])
        kind = reader.choice(.mode, of: SidecarKind.self) ?? defaults.kind
        image = reader.value(.image) { ObjectName.isImage($0) ? $0 : nil } ?? defaults.image
        pullPolicy = reader.word(.pullPolicy, of: ["Always", "IfNotPresent", "Never"]) ?? defaults.pullPolicy
        workers = reader.integer(.workers, in: 1...64) ?? defaults.workers
        models = reader.list(.models, Self.isModel)
        logLevel = reader.word(.logLevel, of: ["debug", "info", "warning", "error"]) ?? defaults.logLevel
        variables = reader.choice(.env, of: VariableRule.self) ?? .keep
        skipped = Set(reader.list(.skipContainers) { ObjectName.isLabel($0) } ?? [])
        _ = reader.word(.hostNetwork, of: ["allow"])
        hasStorage = reader.flag(.storage) ?? false
        graceSeconds = min(max(pod.graceSeconds, 1), 86_400)
        readObjects(&reader, defaults)
        readResources(&reader, defaults)
        choosePorts(&reader, pod, defaults)
        if !reader.mistakes.isEmpty { throw Refused(mistakes: reader.mistakes) }
        warnings = reader.unknown
        warn(about: pod)
    }

    private mutating func readObjects(_ reader: inout AnnotationReader, _ defaults: SidecarDefaults) {
        config = reader.value(.config, Self.configMap) ?? defaults.configMap.flatMap(Self.configMap)
        let named = reader.value(.secret) { ObjectName.isSubdomain($0) ? $0 : nil }
        secret = named.map { ($0, false) } ?? defaults.secret.map { ($0, true) }
        secretFiles = reader.value(.secretFiles) { ObjectName.isSubdomain($0) ? $0 : nil }
    }

    private mutating func readResources(_ reader: inout AnnotationReader, _ defaults: SidecarDefaults) {
        resources = defaults.resources
        if let amount = reader.value(.cpuRequest, Quantity.init) { resources.cpuRequest = amount }
        if let amount = reader.value(.cpuLimit, Quantity.init) { resources.cpuLimit = amount }
        if let amount = reader.value(.memoryRequest, Quantity.init) { resources.memoryRequest = amount }
        if let amount = reader.value(.memoryLimit, Quantity.init) { resources.memoryLimit = amount }
        // Who asks for less than what is asked for by default, or more, means both.
        if reader.text(.cpuRequest) == nil, let limit = resources.cpuLimit, let request = resources.cpuRequest,
            request.thousandths > limit.thousandths
        {
            resources.cpuRequest = limit
        }
        if reader.text(.memoryRequest) == nil, let limit = resources.memoryLimit, let request = resources.memoryRequest,
            request.thousandths > limit.thousandths
        {
            resources.memoryRequest = limit
        }
        for mistake in resources.mistakes { reader.refuse(PodAnnotation.prefix + mistake) }
    }

    private mutating func choosePorts(
        _ reader: inout AnnotationReader, _ pod: PodFacts, _ defaults: SidecarDefaults
    ) {
        var taken: [Int: String] = [:]
        for container in pod.containers + pod.initContainers.filter(\.isRestartable)
        where container.name != Self.containerName {
            for port in container.ports where taken[port] == nil { taken[port] = container.name }
        }
        port = choosePort(.port, defaults.port, &reader, &taken)
        adminPort = choosePort(.adminPort, defaults.adminPort, &reader, &taken)
        let others = (pod.containers + pod.initContainers).filter { $0.name != Self.containerName }
        let names = others.flatMap(\.portNames)
        adminPortName = names.contains(Self.portName) ? nil : Self.portName
    }

    /// What an annotation says has to be free; what is the default moves out of the way.
    private mutating func choosePort(
        _ annotation: PodAnnotation, _ fallback: Int, _ reader: inout AnnotationReader, _ taken: inout [Int: String]
    ) -> Int {
        var chosen = fallback
        if let asked = reader.integer(annotation, in: 1024...65_535) {
            chosen = asked
            if let owner = taken[asked] {
                let owner = AnnotationReader.shown(owner)
                reader.refuse("\(annotation.name): \(asked) is a port of the container \(owner)")
            }
        } else {
            while taken[chosen] != nil, chosen < 65_535 { chosen += 1 }
        }
        taken[chosen] = Self.containerName
        return chosen
    }

    // MARK: Warnings

    private mutating func warn(about pod: PodFacts) {
        if kind == .container, pod.restartPolicy != "Always" {
            warnings.append(
                "sluice runs as a plain container: it never ends by itself, and a pod with restartPolicy \(pod.restartPolicy) is not done before; sluice.io/mode: native (Kubernetes 1.29) is"
            )
        }
        let names = Set((pod.containers + pod.initContainers).map(\.name))
        for name in skipped.subtracting(names).sorted() {
            warnings.append("sluice.io/skip-containers: there is no container \(name)")
        }
    }

    // MARK: Values

    private static func configMap(_ text: String) -> (name: String, key: String)? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, ObjectName.isSubdomain(String(name)) else { return nil }
        if parts.count == 1 { return (String(name), configKey) }
        return ObjectName.isKey(parts[1]) ? (String(name), String(parts[1])) : nil
    }

    /// A model's name, as people and platforms write them; nothing that the kubelet or a shell would read in it.
    private static func isModel(_ text: String) -> Bool {
        1...256 ~= text.utf8.count && text.utf8.count { $0 == UInt8(ascii: "*") } <= 1
            && text.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "-._/:@+*".utf8.contains($0) }
    }

    /// Whether a text names a ConfigMap as the annotation does.
    static func isConfigMap(_ text: String) -> Bool { configMap(text) != nil }
}
