internal import SluiceCore
package import SluiceTLS

/// When certificates are made and exchanged. No clock and no socket: a bundle and the time in, a bundle out.
///
/// A serving certificate is exchanged after two thirds of its time: its authority stays, so nobody notices. An authority is
/// exchanged in three steps, so that at each moment every serving certificate in use is trusted: the next one is made known
/// (`caBundle` has both); after `overlap`, when that has been seen in the webhook's configuration, it signs; the old one stays
/// trusted until it ends.
package struct CertificatePolicy: Sendable {
    /// DNS names of the Service.
    package var hosts: [String]
    package var servingLifetime = Duration.seconds(30 * 86_400)
    package var authorityLifetime = Duration.seconds(365 * 86_400)
    package var overlap = Duration.seconds(600)

    package init(hosts: [String]) { self.hosts = hosts }

    /// Clocks of nodes differ, in seconds.
    private static let earlier: Int64 = 300

    package enum Change: String, Sendable, Equatable {
        case made, servingRenewed = "serving_renewed", authorityAnnounced = "authority_announced"
        case authorityRenewed = "authority_renewed", expiredRemoved = "expired_removed"
    }

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - isPublished: whether the webhook's configuration trusts all that `bundle.trusted` says.
    ///   - published: whom it trusts: if all is made anew, what replicas serve with until they see it stays good.
    /// - Returns: what the Secret is to hold, and why; `nil`: what it holds.
    package func next(
        _ bundle: CertificateBundle, at now: Int64, isPublished: Bool, published: [UInt8] = []
    ) throws(TLSError) -> (bundle: CertificateBundle, change: Change)? {
        guard let authority = current(bundle, at: now) else {
            return (try make(over: bundle.authorities + published, at: now), .made)
        }
        let next = bundle.next.flatMap { bundle.nextSince <= now + Self.earlier && isGood($0, at: now) ? $0 : nil }
        if let next, isPublished, bundle.nextSince <= now - overlap.wholeSeconds {
            return (try promote(next, bundle, at: now), .authorityRenewed)
        }
        if !isServing(bundle, authority.summary, at: now) {
            var renewed = bundle
            renewed.serving = try serve(by: authority.issued, authority.summary, at: now)
            return (renewed, .servingRenewed)
        }
        if next == nil, Self.isOld(authority.summary, authorityLifetime, at: now) {
            var announced = bundle
            announced.next = try makeAuthority(at: now)
            announced.nextSince = now
            return (announced, .authorityAnnounced)
        }
        return try withoutExpired(bundle, at: now).map { ($0, .expiredRemoved) }
    }

    // MARK: What there is

    private typealias Authority = (issued: IssuedCertificate, summary: CertificateSummary)

    /// The authority that signs, if it can.
    private func current(_ bundle: CertificateBundle, at now: Int64) -> Authority? {
        guard let key = bundle.authorityKey,
            let summary = try? CertificateSummary.all(of: bundle.authorities.span, named: "ca.crt").first,
            summary.notBefore <= now, now < summary.notAfter
        else { return nil }
        let issued = IssuedCertificate(certificate: bundle.authorities, privateKey: key)
        // A key that is none of the authority's signs what nobody trusts.
        guard (try? CertificateStore(issued, named: "ca.crt")) != nil else { return nil }
        return (issued, summary)
    }

    private func isGood(_ issued: IssuedCertificate, at now: Int64) -> Bool {
        guard let summary = try? CertificateSummary.all(of: issued.certificate.span, named: "next-ca.crt").first,
            (try? CertificateStore(issued, named: "next-ca.crt")) != nil
        else { return false }
        return now < summary.notAfter
    }

    private func isServing(_ bundle: CertificateBundle, _ authority: CertificateSummary, at now: Int64) -> Bool {
        guard let serving = bundle.serving, (try? CertificateStore(serving, named: "tls.crt")) != nil,
            let summary = try? CertificateSummary.all(of: serving.certificate.span, named: "tls.crt").first
        else { return false }
        // It may end with its authority.
        let isOld = Self.isOld(summary, servingLifetime, at: now) && summary.notAfter < authority.notAfter
        return !isOld && now < summary.notAfter && summary.issuerCommonName == authority.commonName
            && Set(summary.dnsNames) == Set(hosts)
    }

    /// Two thirds of its time are over.
    private static func isOld(_ summary: CertificateSummary, _ lifetime: Duration, at now: Int64) -> Bool {
        now >= summary.notAfter - lifetime.wholeSeconds / 3
    }

    // MARK: What is made

    private func makeAuthority(at now: Int64) throws(TLSError) -> IssuedCertificate {
        // Each has a name of its own: a chain is built by names.
        try CertificateMaking.authority(
            named: "sluice-injector-ca-\(now)-\(SecureRandom.bytes(4).reduce(0) { $0 << 8 | UInt32($1) })",
            CertificateMaking.Validity(from: now - Self.earlier, until: now + authorityLifetime.wholeSeconds))
    }

    private func serve(
        by authority: IssuedCertificate, _ summary: CertificateSummary, at now: Int64
    ) throws(TLSError) -> IssuedCertificate {
        try CertificateMaking.server(
            hosts,
            CertificateMaking.Validity(
                from: now - Self.earlier, until: min(now + servingLifetime.wholeSeconds, summary.notAfter)),
            by: authority)
    }

    private func summary(_ authority: IssuedCertificate) throws(TLSError) -> CertificateSummary {
        let summaries = try CertificateSummary.all(of: authority.certificate.span, named: "ca.crt")
        guard let first = summaries.first else { throw TLSError(.configuration, "ca.crt holds no certificate") }
        return first
    }

    /// Everything anew. What was trusted stays so: another replica may serve with it still.
    private func make(over trusted: [UInt8], at now: Int64) throws(TLSError) -> CertificateBundle {
        let authority = try makeAuthority(at: now)
        var bundle = CertificateBundle()
        bundle.authorities = authority.certificate + Self.unexpired(trusted, at: now)
        bundle.authorityKey = authority.privateKey
        bundle.serving = try serve(by: authority, summary(authority), at: now)
        return bundle
    }

    private func promote(
        _ next: IssuedCertificate, _ old: CertificateBundle, at now: Int64
    ) throws(TLSError) -> CertificateBundle {
        var bundle = CertificateBundle()
        bundle.authorities = next.certificate + Self.unexpired(old.authorities, at: now)
        bundle.authorityKey = next.privateKey
        bundle.serving = try serve(by: next, summary(next), at: now)
        return bundle
    }

    private func withoutExpired(_ bundle: CertificateBundle, at now: Int64) throws(TLSError) -> CertificateBundle? {
        let kept = Self.unexpired(bundle.authorities, at: now)
        let count = try CertificateSummary.all(of: bundle.authorities.span, named: "ca.crt").count
        guard Self.texts(kept).count < count else { return nil }
        var smaller = bundle
        smaller.authorities = kept
        return smaller
    }

    // MARK: PEM texts

    private static func unexpired(_ pem: [UInt8], at now: Int64) -> [UInt8] {
        var seen: Set<[UInt8]> = []
        return texts(pem).filter { text in
            if !seen.insert(text).inserted { return false }
            let summary = try? CertificateSummary.all(of: text.span, named: "ca.crt").first
            return summary.map { now < $0.notAfter } ?? false
        }.prefix(trustedMax).flatMap { $0 }
    }

    /// More authorities at one time come from somebody who writes nonsense.
    private static let trustedMax = 8

    /// The certificates of a text one by one, without what stands between them.
    private static func texts(_ pem: [UInt8]) -> [[UInt8]] {
        let end = "-----END CERTIFICATE-----"
        return String(decoding: pem, as: UTF8.self).split(separator: end).compactMap { part in
            guard let begin = part.firstRange(of: "-----BEGIN CERTIFICATE-----") else { return nil }
            return Array((part[begin.lowerBound...] + end + "\n").utf8)
        }
    }
}

extension Duration {
    var wholeSeconds: Int64 { components.seconds }
}
