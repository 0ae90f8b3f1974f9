internal import SluiceCore
internal import SluicePipeline
internal import SluiceTLS

/// Until when the certificates hold that listeners show, read when somebody asks.
enum CertificateMetrics {
    private static let expiry = MetricFamily(
        "sluice_certificate_expiry_timestamp_seconds", .gauge, unit: "seconds", labels: ["listener", "file"],
        help: "When a certificate that a listener shows ends to be valid, since the epoch.")

    static let families = [expiry]

    /// - Parameter listeners: those with TLS, by their addresses.
    static func register(_ listeners: [(address: String, certificates: CertificateStore)], in registry: MetricRegistry) {
        registry.addSource(families) { collection in
            for (address, store) in listeners {
                var seen: Set<String> = []
                for certificate in store.current.certificates where seen.insert(certificate.file).inserted {
                    collection.add(expiry, [address, certificate.file], Int(certificate.summary.notAfter))
                }
            }
        }
    }
}
