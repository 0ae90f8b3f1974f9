internal import SluiceCore
internal import SluiceHTTP

/// What a Pushgateway keeps under one grouping key (github.com/prometheus/pushgateway, README, "API"): our job, our instance, and
/// the labels that the configuration adds. Nobody else's are touched.
struct PushgatewayGroup: Sendable {
    /// `/metrics/job/…/instance/…`
    let target: String
    private let names: Set<String>

    /// - Parameter labels: job first.
    init(_ labels: [(name: String, value: String)]) {
        names = Set(labels.map(\.name))
        target = labels.reduce(into: "/metrics") { path, label in
            path += "/" + Self.parts(label.name, label.value)
        }
    }

    /// A value that a path cannot hold is told in base64: one with a slash, none at all, and dots that a path would swallow.
    private static func parts(_ name: String, _ value: String) -> String {
        if value.isEmpty { return "\(name)@base64/=" }
        if value.utf8.contains(UInt8(ascii: "/")) || value == "." || value == ".." {
            return "\(name)@base64/\(Base64.encode(value.utf8Span.span, .urlSafe))"
        }
        var text = ""
        for byte in value.utf8 {
            if byte.isASCIILetter || byte.isDecimalDigit || "-._~".utf8.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                text += digits.utf8.count < 2 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return "\(name)/\(text)"
    }

    /// All metrics in place of those that the group has.
    func replacement(_ collection: MetricCollection) -> TelemetryMessage {
        let buffer = ByteBuffer(capacity: 65_536)
        // The group's labels overwrite those that metrics have.
        MetricText.write(collection.yielding(to: names), as: .prometheus, into: buffer)
        return TelemetryMessage(
            method: .put, target: target, contentType: "text/plain; version=0.0.4; charset=utf-8",
            body: [UInt8](copying: buffer.span),
            itemCount: collection.groups.reduce(0) { $0 + $1.samples.count }, replacesEarlier: true)
    }

    var deletion: TelemetryMessage { TelemetryMessage(method: .delete, target: target) }
}
