/// What a pod can say of its sidecar: the annotations `sluice.io/…`.
package enum PodAnnotation: String, CaseIterable, Sendable {
    case inject, mode, image, pullPolicy = "image-pull-policy", port, adminPort = "admin-port", workers, config
    case secret, secretFiles = "secret-files", models, logLevel = "log-level"
    case cpuRequest = "cpu-request", cpuLimit = "cpu-limit"
    case memoryRequest = "memory-request", memoryLimit = "memory-limit"
    case env, skipContainers = "skip-containers", hostNetwork = "host-network", storage, status

    package static let prefix = "sluice.io/"
    package var name: String { Self.prefix + rawValue }

    /// The label of pods that were injected: what scrapes them looks for it.
    static let injectedLabel = "sluice.io/injected"
    /// The label of Sluice's own pods.
    static let componentLabel = "sluice.io/component"

    /// What it may be, for messages and the documentation.
    package var allowed: String {
        switch self {
        case .inject: "enabled or disabled"
        case .mode: "native or container"
        case .image: "the name of an image"
        case .pullPolicy: "Always, IfNotPresent or Never"
        case .port, .adminPort: "a port from 1024 to 65535"
        case .workers: "1 to 64"
        case .config: "a ConfigMap, NAME or NAME/KEY"
        case .secret, .secretFiles: "the name of a Secret"
        case .models: "names of models, each with one * at most, and commas between them"
        case .logLevel: "debug, info, warning or error"
        case .cpuRequest, .cpuLimit: "an amount of CPU, as 100m or 1"
        case .memoryRequest, .memoryLimit: "an amount of memory, as 64Mi"
        case .env: "keep, override or none"
        case .skipContainers: "names of containers, with commas between them"
        case .hostNetwork: "allow"
        case .storage: "enabled or disabled"
        case .status: "nothing: the injector writes it"
        }
    }
}
