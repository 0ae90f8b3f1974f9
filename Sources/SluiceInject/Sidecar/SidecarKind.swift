/// How Sluice stands in a pod.
package enum SidecarKind: String, Sendable, CaseIterable {
    /// An init container that goes on running (KEP-753, Kubernetes 1.29): it starts before the application, ends after it, and lets
    /// jobs end.
    case native
    /// A container like the application's, for older clusters.
    case container
}

/// What is done about the variables of the application's containers.
enum VariableRule: String, CaseIterable {
    /// They are added; what has a value keeps it.
    case keep
    /// They are set, whatever they were.
    case override
    /// They are left alone.
    case none
}
