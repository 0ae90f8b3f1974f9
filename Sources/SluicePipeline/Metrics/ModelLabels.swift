internal import SluiceCore
package import SluiceProviders

/// Which names of models may be labels: those of the configuration and of providers' own lists. All others are `other`, as callers
/// may write what they like (theme 3.21).
package struct ModelLabels {
    private var known: [String: String] = [:]
    private var revisions = (configuration: -1, directory: -1)
    private static let countMax = 4096

    package init() {}

    /// - Parameter provider: who was asked for it, if anybody was.
    package mutating func label(
        _ model: String, _ provider: Provider?, _ snapshot: ConfigSnapshot, _ directory: ModelDirectory
    ) -> String {
        if model.isEmpty { return "" }
        let directoryRevision = directory.revision
        if revisions != (snapshot.revision, directoryRevision) || known.count > Self.countMax {
            revisions = (snapshot.revision, directoryRevision)
            known.removeAll(keepingCapacity: true)
        }
        if let label = known[model] { return label }
        let isKnown =
            snapshot.routes.routes[model] != nil || snapshot.routes.aliases[model] != nil
            || directory.owner(of: model) != nil || provider?.models.contains(model) == true
            || snapshot.routes.upstreamModels.contains(model)
        let label = isKnown ? model : MetricRegistry.other
        known[model] = label
        return label
    }
}
