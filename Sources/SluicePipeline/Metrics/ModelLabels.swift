internal import SluiceCore
internal import SluiceProviders

/// Which names of models may be labels: those of the configuration and of providers' own lists. All others are `other`, as callers
/// may write what they like (theme 3.21).
package struct ModelLabels {
    private var known: [String: String] = [:]
    private var revisions = (configuration: -1, directory: -1)
    private static let countMax = 4096

    package init() {}

    package mutating func label(_ model: String, _ snapshot: ConfigSnapshot, _ directory: ModelDirectory) -> String {
        if model.isEmpty { return "" }
        let directoryRevision = directory.revision
        if revisions != (snapshot.revision, directoryRevision) || known.count > Self.countMax {
            revisions = (snapshot.revision, directoryRevision)
            known.removeAll(keepingCapacity: true)
        }
        if let label = known[model] { return label }
        let isKnown =
            snapshot.routes.routes[model] != nil || snapshot.routes.aliases[model] != nil
            || snapshot.routes.upstreamModels.contains(model) || directory.owner(of: model) != nil
            || snapshot.providers.values.contains { $0.models.contains(model) }
        let label = isKnown ? model : MetricRegistry.other
        known[model] = label
        return label
    }
}
