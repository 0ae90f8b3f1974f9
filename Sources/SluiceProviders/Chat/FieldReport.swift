/// What of a request its target cannot express: never lost in silence (theme 3.6).
package struct FieldReport: Sendable {
    /// What happens to a request that asks for more than its target can do.
    package enum Mode: String, Sendable, CaseIterable {
        /// It is refused before the call.
        case strict
        /// It goes out without, and the reply names what was lost.
        case warn
        /// It goes out without; the log and the metrics say so.
        case drop
    }

    /// Names of fields as paths: `seed`, `messages[2].content[0].input_audio`.
    package private(set) var lost: [String] = []
    /// What was changed so that the target takes it, for people: `response_format: by a forced tool`.
    package private(set) var adapted: [String] = []
    /// A request may name thousands of things that are lost.
    private static let countMax = 32

    package init() {}

    package mutating func lose(_ field: String) {
        if lost.count < Self.countMax, !lost.contains(field) { lost.append(field) }
    }

    package mutating func adapt(_ field: String) {
        if adapted.count < Self.countMax, !adapted.contains(field) { adapted.append(field) }
    }
}

/// Why a request cannot be put into a target's words at all: the caller's fault, told before the call.
package struct EncodingRefusal: Error, Sendable {
    /// The field in question, as a path.
    package let param: String
    package let message: String

    package init(_ param: String, _ message: String) {
        self.param = param
        self.message = message
    }
}
