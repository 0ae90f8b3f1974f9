internal import SluiceCore
internal import SluiceJSON

/// The answer to an AdmissionReview.
struct AdmissionReply {
    let uid: String
    var isAllowed = true
    /// A JSON Patch (RFC 6902); `nil`: the object is well as it is.
    var patch: ByteBuffer?
    /// What the person should know who creates the object: `kubectl` prints it.
    var warnings: [String] = []
    /// Why it is not allowed.
    var denial: String?
    /// For the API server's audit log.
    var decision: Decision

    /// Kubernetes cuts longer ones off (AdmissionResponse, `warnings`): 256 of each, 4096 in all.
    private static let warningByteCountMax = 256
    private static let warningsByteCountMax = 4096

    func write(into buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("apiVersion")
            json.string(AdmissionReview.apiVersion)
            json.key("kind")
            json.string(AdmissionReview.kind)
            json.key("response")
            json.object { json in writeResponse(&json) }
        }
    }

    private func writeResponse(_ json: inout JSONWriter) {
        json.key("uid")
        json.string(uid)
        json.key("allowed")
        json.bool(isAllowed)
        if let patch {
            json.key("patchType")
            json.string("JSONPatch" as StaticString)
            json.key("patch")
            json.string(Base64.encode(patch.span))
        }
        if let denial {
            json.key("status")
            json.object { json in
                json.key("code")
                json.int(400)
                json.key("message")
                json.string(denial)
            }
        }
        let warnings = shownWarnings
        if !warnings.isEmpty {
            json.key("warnings")
            json.array { json in for warning in warnings { json.string(warning) } }
        }
        json.key("auditAnnotations")
        json.object { json in
            json.key("decision")
            json.string(decision.text)
        }
    }

    private var shownWarnings: [String] {
        var room = Self.warningsByteCountMax
        var shown: [String] = []
        for warning in warnings {
            let text = Self.line(warning)
            room -= text.utf8.count
            if room < 0 { break }
            shown.append(text)
        }
        return shown
    }

    /// Without control characters, and not longer than a header takes.
    private static func line(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars where scalar.value >= 0x20 && scalar.value != 0x7F {
            if line.utf8.count + 4 > warningByteCountMax { break }
            line.unicodeScalars.append(scalar)
        }
        return line
    }
}

/// What becomes of a review, in words from a closed set: metrics, logs and the API server's audit log have them.
package struct Decision: Sendable, Hashable {
    package enum Outcome: String, Sendable, CaseIterable { case injected, completed, skipped, denied }

    package enum Reason: String, Sendable, CaseIterable {
        case none, notAPod = "not_a_pod", notAsked = "not_asked", annotatedOff = "annotated_off"
        case noContainers = "no_containers", hostNetwork = "host_network", ownPod = "own_pod"
        case alreadyInjected = "already_injected", mirrorPod = "mirror_pod", otherSystem = "other_system"
        case nameTaken = "name_taken", annotations
    }

    package let outcome: Outcome
    package let reason: Reason

    var text: String { reason == .none ? outcome.rawValue : "\(outcome.rawValue): \(reason.rawValue)" }

    /// Every one that there is, for counters that start at zero.
    package static let all: [Decision] =
        [Decision(outcome: .injected, reason: .none), Decision(outcome: .completed, reason: .alreadyInjected)]
        + Reason.allCases.filter { $0 != .none && $0 != .annotations }.map { Decision(outcome: .skipped, reason: $0) }
        + [Decision(outcome: .denied, reason: .annotations)]
}
