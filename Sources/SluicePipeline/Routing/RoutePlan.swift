/// Who may answer a request, in the order in which they are asked.
package struct RoutePlan: Sendable {
    package var targets: [RouteTarget] = []
    /// Whoever asks may not ask all who could answer.
    var isRestricted = false
    /// Which of them is asked now.
    package var position = 0
    /// What answers the model, once aliases and rules have been applied; `nil` before that, and for the built-in one.
    package var route: Route?
    /// The name of the rule that took part.
    package var rule: String?

    package init() {}

    package var current: RouteTarget? { position < targets.count ? targets[position] : nil }

    /// Puts what is asked now before those that it overtakes.
    mutating func advanceCurrent(to place: Int) {
        if place >= position { return }
        targets.insert(targets.remove(at: position), at: place)
        position = place
    }

    /// Whether what is asked now stands in for the model that was asked for.
    package var isFallback: Bool { current.map { $0.model != route?.model } ?? false }
}
