package import SluicePolicy

/// What outlives a configuration: what the process has learned, counts and keeps. Shared by all workers.
package final class LastingState: Sendable {
    package let targets = TargetTable()
    package let gates = GateTable()

    package init() {}
}
