internal import SluiceCore

/// Who clients are that have proved a certificate.
package struct CertificatesConfiguration: Sendable, Equatable {
    package struct Rule: Sendable, Equatable {
        package var uri: String?
        package var dns: String?
        package var commonName: String?
        package var fingerprint: String?
        package var grant = GrantConfiguration()

        package init() {}
    }

    /// The first that matches counts.
    package var rules: [Rule] = []

    package init() {}

    static func read(_ section: ConfigSection, _ roles: Set<String>) -> Self {
        var certificates = Self()
        certificates.rules = section.list(
            "rules", count: 1...1000,
            doc: "Which certificate is whose. The first rule that matches counts; a certificate that none matches is refused."
        ) { section in
            var rule = Rule()
            rule.uri = pattern(section, "uri", "A URI among its alternative names, as `spiffe://domain/ns/team/*`.")
            rule.dns = pattern(section, "dns", "A DNS name among its alternative names.")
            rule.commonName = pattern(section, "common_name", "The subject's common name.")
            rule.fingerprint = section.optional(
                "fingerprint",
                .text("string", allowed: "64 hexadecimal digits", placeholder: "", show: { $0 }) { text in
                    text.utf8.count == 64 && text.utf8.allSatisfy { $0.hexDigitValue != nil } ? text.lowercased() : nil
                }, doc: "SHA-256 over the whole certificate, in hexadecimal.")
            if rule.uri == nil, rule.dns == nil, rule.commonName == nil, rule.fingerprint == nil {
                section.mistake("at least one of uri, dns, common_name and fingerprint")
            }
            rule.grant = .read(section, roles)
            return rule
        }
        return certificates
    }

    private static func pattern(_ section: ConfigSection, _ key: String, _ doc: String) -> String? {
        section.optional(
            key,
            .text(
                "pattern", allowed: "a name of 1 to 1024 bytes with at most one \"*\"", placeholder: "", show: { $0 }
            ) { text in
                1...1024 ~= text.utf8.count && text.utf8.count { $0 == UInt8(ascii: "*") } <= 1 ? text : nil
            }, doc: doc + " All that are given have to match; one may have one `*`, which stands for any text.")
    }
}
