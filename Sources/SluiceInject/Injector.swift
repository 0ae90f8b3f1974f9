package import SluiceCore
package import SluiceJSON
internal import SluicePolicy

/// Decides what becomes of pods: reads an AdmissionReview, answers it. No socket and no clock.
package struct Injector: Sendable {
    package let defaults: SidecarDefaults

    /// Which pods a review is asked for.
    package enum Scope: Sendable {
        /// Those of a namespace that is injected: all that do not say otherwise.
        case namespace
        /// Those of any other: only those that ask for it.
        case annotated
    }

    package struct Answer {
        package let body: ByteBuffer
        package let decision: Decision
        package let namespace: String
        package let pod: String
        package let warningCount: Int
        /// What the person was told who may not create the pod.
        package let denial: String?
    }

    /// A body that is no AdmissionReview.
    package struct Malformed: Error, Equatable {
        package let message: String
    }

    package init(_ defaults: SidecarDefaults) { self.defaults = defaults }

    /// Annotations and fields, with room: an object in etcd has 1.5 MB at most, and a review may hold it twice.
    package static let bodyByteCountMax = 4 << 20
    private static var limits: JSONLimits {
        var limits = JSONLimits()
        limits.byteCountMax = bodyByteCountMax
        limits.entryCountMax = 1 << 19
        return limits
    }

    package func answer(
        _ body: Span<UInt8>, _ scope: Scope, tape: JSONTape = JSONTape(), issueKey: () -> Secret = { APIKey.issue() }
    ) throws(Malformed) -> Answer {
        let review: AdmissionReview
        do throws(JSONError) {
            try tape.scan(body, limits: Self.limits)
        } catch {
            throw Malformed(message: "the body is no JSON: \(error)")
        }
        do throws(AdmissionReview.Malformed) {
            review = try AdmissionReview(reading: tape.root(over: body))
        } catch {
            throw Malformed(message: error.message)
        }
        let reply = self.reply(to: review, scope, issueKey)
        let buffer = ByteBuffer(capacity: 8192)
        reply.write(into: buffer)
        return Answer(
            body: buffer, decision: reply.decision, namespace: Self.name(review.namespace),
            pod: Self.name(review.pod?.name ?? ""),
            warningCount: reply.warnings.count, denial: reply.denial)
    }

    /// As names are at most (RFC 1123): nobody has checked this one yet, and it goes into the log.
    private static func name(_ text: String) -> String { String(decoding: text.utf8.prefix(253), as: UTF8.self) }

    private func reply(to review: AdmissionReview, _ scope: Scope, _ issueKey: () -> Secret) -> AdmissionReply {
        guard let pod = review.pod else { return skip(review, .notAPod) }
        var asks: Bool?
        do throws(SidecarPlan.Refused) {
            asks = try Self.asks(pod)
        } catch {
            return deny(review, error)
        }
        if let reason = Self.reasonToSkip(pod, scope, asks) {
            var reply = skip(review, reason)
            if asks == true, let why = Self.explanation(reason) { reply.warnings = ["sluice is not injected: \(why)"] }
            return reply
        }
        do throws(SidecarPlan.Refused) {
            let plan = try SidecarPlan(pod, defaults)
            return Injection(pod, plan).reply(to: review, issueKey)
        } catch {
            return deny(review, error)
        }
    }

    private func skip(_ review: AdmissionReview, _ reason: Decision.Reason) -> AdmissionReply {
        AdmissionReply(uid: review.uid, decision: Decision(outcome: .skipped, reason: reason))
    }

    private func deny(_ review: AdmissionReview, _ refused: SidecarPlan.Refused) -> AdmissionReply {
        AdmissionReply(
            uid: review.uid, isAllowed: false,
            denial: "sluice cannot be injected: " + refused.mistakes.joined(separator: "; "),
            decision: Decision(outcome: .denied, reason: .annotations))
    }

    /// What the pod says: its annotation, or else its label, by which clusters choose that cannot choose by annotations.
    private static func asks(_ pod: PodFacts) throws(SidecarPlan.Refused) -> Bool? {
        let label = pod.labels?[PodAnnotation.inject.name].map { [PodAnnotation.inject.name: $0] }
        var reader = AnnotationReader(pod.annotations?[PodAnnotation.inject.name] == nil ? label ?? [:] : pod.annotations ?? [:])
        let asks = reader.flag(.inject)
        if !reader.mistakes.isEmpty { throw SidecarPlan.Refused(mistakes: reader.mistakes) }
        return asks
    }

    private static func reasonToSkip(_ pod: PodFacts, _ scope: Scope, _ asks: Bool?) -> Decision.Reason? {
        if asks == false { return .annotatedOff }
        if asks == nil, scope == .annotated { return .notAsked }
        if pod.labels?[PodAnnotation.componentLabel] != nil { return .ownPod }
        if pod.annotations?["kubernetes.io/config.mirror"] != nil { return .mirrorPod }
        if let system = pod.system, system != "linux" { return .otherSystem }
        if pod.containers.isEmpty { return .noContainers }
        if pod.isHostNetwork, pod.annotations?[PodAnnotation.hostNetwork.name] != "allow" { return .hostNetwork }
        return nil
    }

    /// For who asked by name.
    private static func explanation(_ reason: Decision.Reason) -> String? {
        switch reason {
        case .ownPod: "the pod is one of sluice's own (label \(PodAnnotation.componentLabel))"
        case .otherSystem: "the pod is not for Linux"
        case .noContainers: "the pod has no containers"
        case .hostNetwork: "the pod has the network of its node; sluice.io/host-network: allow injects it all the same"
        case .mirrorPod: "the pod is the mirror of a static one"
        default: nil
        }
    }
}
