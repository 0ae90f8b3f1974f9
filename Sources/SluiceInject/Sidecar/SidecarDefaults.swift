/// What a sidecar is like where its pod's annotations do not say otherwise.
package struct SidecarDefaults: Sendable {
    package var kind = SidecarKind.native
    package var image = ""
    /// `nil`: as the cluster has it for the image's tag.
    package var pullPolicy: String?
    /// Where applications connect, on the pod's own 127.0.0.1.
    package var port = 4010
    /// Where health and metrics are, on every address of the pod.
    package var adminPort = 4011
    /// Event loops: a node's cores are not the sidecar's.
    package var workers = 2
    /// A ConfigMap of the pod's namespace, `NAME` or `NAME/KEY`; `nil`: what is in the variables will do.
    package var configMap: String?
    /// A Secret of the pod's namespace whose keys become the sidecar's variables, if it is there: `OPENAI_API_KEY` and the like.
    package var secret: String? = "sluice-providers"
    package var logLevel = "info"
    package var resources = SidecarResources()

    package init() {}

    /// Whether a text names a ConfigMap: `NAME` or `NAME/KEY`.
    package static func isConfigMap(_ text: String) -> Bool { SidecarPlan.isConfigMap(text) }
}

/// What is asked of the node for a sidecar.
package struct SidecarResources: Sendable, Equatable {
    package var cpuRequest = Quantity("20m")
    /// `nil`: none, for a limit on CPU adds to the latency of every request.
    package var cpuLimit: Quantity?
    package var memoryRequest = Quantity("32Mi")
    package var memoryLimit = Quantity("64Mi")

    package init() {}

    /// What the API server would refuse, in words about annotations.
    package var mistakes: [String] {
        var mistakes: [String] = []
        if let request = cpuRequest, let limit = cpuLimit, request.thousandths > limit.thousandths {
            mistakes.append("cpu-request \(request) is more than cpu-limit \(limit)")
        }
        if let request = memoryRequest, let limit = memoryLimit, request.thousandths > limit.thousandths {
            mistakes.append("memory-request \(request) is more than memory-limit \(limit)")
        }
        if let limit = memoryLimit, limit.thousandths < Self.memoryMin.thousandths {
            mistakes.append("memory-limit \(limit) is less than \(Self.memoryMin)")
        }
        return mistakes
    }

    /// It would be killed at the start.
    private static let memoryMin = Quantity("24Mi")!
}
