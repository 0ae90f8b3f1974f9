import SluiceCore
import SluiceTLS
import Testing

@testable import SluiceInject

@Suite struct `When certificates are exchanged` {
    static let start: Int64 = 1_800_000_000
    static let day: Int64 = 86_400
    static let policy = CertificatePolicy(hosts: ["sluice-injector.sluice-system.svc"])

    private func step(
        _ bundle: CertificateBundle, _ now: Int64, isPublished: Bool = true
    ) throws -> (bundle: CertificateBundle, change: CertificatePolicy.Change)? {
        try Self.policy.next(bundle, at: now, isPublished: isPublished)
    }

    private func summary(_ pem: [UInt8]) throws -> [CertificateSummary] {
        try CertificateSummary.all(of: pem.span, named: "test")
    }

    private func trusts(
        _ bundle: CertificateBundle, servedBy server: CertificateBundle, at now: Int64
    ) throws -> Bool {
        let issuer = try summary(server.serving?.certificate ?? []).first?.issuerCommonName
        return try summary(bundle.trusted).contains { $0.commonName == issuer && $0.notAfter > now }
    }

    @Test func `an empty Secret gets an authority and a certificate for the Service`() throws {
        let made = try #require(try step(CertificateBundle(), Self.start))
        #expect(made.change == .made)
        let serving = try #require(try summary(made.bundle.serving?.certificate ?? []).first)
        let authority = try #require(try summary(made.bundle.authorities).first)
        #expect(serving.dnsNames == Self.policy.hosts)
        #expect(serving.issuerCommonName == authority.commonName)
        #expect(serving.notAfter == Self.start + 30 * Self.day)
        #expect(authority.notAfter == Self.start + 365 * Self.day)
        #expect(try step(made.bundle, Self.start + 1) == nil)
    }

    @Test func `the serving certificate is renewed after two thirds of its time, under the same authority`() throws {
        let made = try #require(try step(CertificateBundle(), Self.start)).bundle
        #expect(try step(made, Self.start + 20 * Self.day - 1) == nil)
        let renewed = try #require(try step(made, Self.start + 20 * Self.day))
        #expect(renewed.change == .servingRenewed)
        #expect(renewed.bundle.authorities == made.authorities)
        #expect(renewed.bundle.trusted == made.trusted)
        #expect(renewed.bundle.serving?.certificate != made.serving?.certificate)
    }

    @Test func `another name of the Service asks for another certificate`() throws {
        let made = try #require(try step(CertificateBundle(), Self.start)).bundle
        let other = CertificatePolicy(hosts: ["other.sluice-system.svc"])
        #expect(try other.next(made, at: Self.start, isPublished: true)?.change == .servingRenewed)
    }

    @Test func `an authority is announced, used once that is seen, and trusted until it ends`() throws {
        var now = Self.start
        var bundle = try #require(try step(CertificateBundle(), now)).bundle
        let first = try #require(try summary(bundle.authorities).first)
        var changes: [CertificatePolicy.Change] = []
        var trustedCounts: Set<Int> = []
        while now < Self.start + 800 * Self.day {
            now += 10 * Self.day
            let before = bundle
            if let next = try step(bundle, now) {
                changes.append(next.change)
                bundle = next.bundle
            }
            // Whatever is served was trusted before it was served, and whoever serves the last one still is trusted.
            let isTrustedBefore = try trusts(before, servedBy: bundle, at: now)
            let isTrustedAfter = try trusts(bundle, servedBy: before, at: now)
            #expect(isTrustedBefore && isTrustedAfter)
            trustedCounts.insert(try summary(bundle.trusted).count)
        }
        #expect(changes.filter { $0 == .authorityAnnounced }.count == 3)
        #expect(changes.filter { $0 == .authorityRenewed }.count == 3)
        #expect(changes.contains(.servingRenewed))
        #expect(changes.contains(.expiredRemoved))
        #expect(trustedCounts.max() ?? 0 <= 3)
        let names = try summary(bundle.trusted).map(\.commonName)
        #expect(!names.contains(first.commonName))
    }

    @Test func `an authority that nobody has been told of is not used`() throws {
        let made = try #require(try step(CertificateBundle(), Self.start)).bundle
        var now = Self.start + 244 * Self.day
        var bundle = try #require(try step(made, now)).bundle  // the serving certificate is old by then
        bundle = try #require(try step(bundle, now)).bundle
        #expect(bundle.next != nil)
        now += 601
        #expect(try step(bundle, now, isPublished: false) == nil)
        #expect(try step(bundle, now - 2) == nil)
        let renewed = try #require(try step(bundle, now))
        #expect(renewed.change == .authorityRenewed)
        #expect(renewed.bundle.next == nil)
        #expect(try summary(renewed.bundle.trusted).count == 2)
    }

    @Test(arguments: [Int64.max, start + 400 * day])
    func `one that was announced in the future is announced anew`(since: Int64) throws {
        let made = try #require(try step(CertificateBundle(), Self.start)).bundle
        let now = Self.start + 250 * Self.day
        var bundle = try #require(try step(made, now)).bundle
        bundle = try #require(try step(bundle, now)).bundle
        let next = try #require(bundle.next)
        bundle.nextSince = since
        let again = try #require(try step(bundle, now + 5))
        #expect(again.change == .authorityAnnounced)
        #expect(again.bundle.next?.certificate != next.certificate)
        #expect(again.bundle.nextSince == now + 5)
    }

    @Test func `what was damaged is made anew`() throws {
        let made = try #require(try step(CertificateBundle(), Self.start)).bundle
        let other = try #require(try step(CertificateBundle(), Self.start)).bundle
        var damaged = [made, made, made, made]
        damaged[0].authorityKey = nil
        damaged[1].authorityKey = other.authorityKey
        damaged[2].authorities = Array("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n".utf8)
        damaged[3].authorities = []
        for bundle in damaged { #expect(try step(bundle, Self.start + 5)?.change == .made) }
        var unserved = [made, made, made]
        unserved[0].serving = nil
        unserved[1].serving = other.serving
        unserved[2].serving = made.serving.map { IssuedCertificate(certificate: $0.certificate, privateKey: other.authorityKey ?? Secret("")) }
        for bundle in unserved { #expect(try step(bundle, Self.start + 5)?.change == .servingRenewed) }
        #expect(try step(made, Self.start + 400 * Self.day)?.change == .made)
    }

    @Test func `an empty Secret does not make that useless which is served still`() throws {
        let lost = try #require(try step(CertificateBundle(), Self.start)).bundle
        let made = try #require(
            try Self.policy.next(CertificateBundle(), at: Self.start + 5, isPublished: false, published: lost.trusted)).bundle
        let isTrusted = try trusts(made, servedBy: lost, at: Self.start + 5)
        #expect(isTrusted)
        let kept = try #require(
            try Self.policy.next(CertificateBundle(), at: Self.start + 5, isPublished: false, published: lost.trusted + lost.trusted))
        #expect(try summary(kept.bundle.trusted).count == 2)
    }

    @Test func `a bundle is read back from the Secret that it was written to`() throws {
        let made = try #require(try step(CertificateBundle(), Self.start)).bundle
        let patch = made.patch(over: "17")
        let text = #"{"metadata":{"resourceVersion":"18"},"data":"# + String(decoding: patch.span).dataObject + "}"
        let view = try SecretView(Array(text.utf8))
        #expect(view.resourceVersion == "18")
        #expect(view.bundle.authorities == made.authorities)
        #expect(view.bundle.authorityKey == made.authorityKey)
        #expect(view.bundle.serving?.certificate == made.serving?.certificate)
        #expect(view.bundle.next == nil)
    }
}

extension String {
    /// What stands behind `"data":` in a merge patch of ours.
    fileprivate var dataObject: String {
        String(self[(firstRange(of: "\"data\":")?.upperBound ?? startIndex)...].dropLast())
    }
}
