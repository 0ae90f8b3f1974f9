internal import SluiceCore
package import SluiceJSON
internal import SluicePolicy

/// What the claims of a token must say before anybody is believed to be who they name (RFC 7519 §4.1, RFC 8725 §3).
package struct TokenRules: Sendable {
    /// `iss`, character by character; `nil`: whatever it is, or none.
    package var issuer: String?
    /// `aud` has to name one of them; empty: it is not looked at.
    package var audiences: [String] = []
    /// How far clocks may be apart, in seconds: 0 to 600.
    package var skewSeconds = 60
    /// Claims that have to be there, as strings that have to be equal, or `nil` for any value.
    package var required: [(name: String, value: String?)] = []
    /// Header `typ` has to be one of them, in lower case; empty: it is not looked at.
    package var types: [String] = []
    /// `exp` has to be there.
    package var demandsExpiry = true

    package init() {}

    /// The claims of a token that are about time and place.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: until when it is good, skew included, in seconds since 1970.
    package func check(_ claims: JSONValue, at now: Int) throws(TokenRefusal) -> Int {
        try checkIssuer(claims)
        try checkAudience(claims)
        let end = try checkTimes(claims, at: now)
        for (name, value) in required {
            guard let found = ClaimPath(name).value(in: claims), !found.isNull, value == nil || found.string == value
            else { throw TokenRefusal(.malformed, "the claim \(name) is missing or is another") }
        }
        return end
    }

    package func check(type: String?) throws(TokenRefusal) {
        if types.isEmpty { return }
        guard let type, types.contains(type) else { throw TokenRefusal(.malformed, "its typ is another") }
    }

    private func checkIssuer(_ claims: JSONValue) throws(TokenRefusal) {
        guard let issuer else { return }
        guard claims["iss"]?.equals(issuer.utf8Span.span) == true else {
            throw TokenRefusal(.issuer, "its issuer is another")
        }
    }

    private func checkAudience(_ claims: JSONValue) throws(TokenRefusal) {
        if audiences.isEmpty { return }
        guard let audience = claims["aud"] else { throw TokenRefusal(.audience, "it names no audience") }
        for wanted in audiences where Self.names(audience, wanted) { return }
        throw TokenRefusal(.audience, "it is for another audience")
    }

    /// A string, or a list of strings (RFC 7519 §4.1.3).
    static func names(_ audience: JSONValue, _ wanted: String) -> Bool {
        if audience.isString { return audience.equals(wanted.utf8Span.span) }
        var elements = audience.elements
        while let element = elements.next() {
            if element.isString, element.equals(wanted.utf8Span.span) { return true }
        }
        return false
    }

    private func checkTimes(_ claims: JSONValue, at now: Int) throws(TokenRefusal) -> Int {
        let expiry = try Self.time(claims["exp"], "exp")
        if expiry == nil, demandsExpiry { throw TokenRefusal(.malformed, "it does not say when it expires") }
        let end = (expiry ?? Self.timeMax) + skewSeconds
        if now >= end { throw TokenRefusal(.expired, "it has expired") }
        if let start = try Self.time(claims["nbf"], "nbf"), now < start - skewSeconds {
            throw TokenRefusal(.notYetValid, "it is not valid yet")
        }
        if let issued = try Self.time(claims["iat"], "iat"), now < issued - skewSeconds {
            throw TokenRefusal(.notYetValid, "it was issued in the future")
        }
        return end
    }

    /// The end of the year 9999: no honest date is later, and sums with it do not overflow.
    private static let timeMax = 253_402_300_799

    /// A NumericDate (RFC 7519 §2): seconds since 1970, perhaps with a fraction, which is dropped.
    private static func time(_ value: JSONValue?, _ name: StaticString) throws(TokenRefusal) -> Int? {
        guard let value else { return nil }
        guard let seconds = value.double, seconds >= 0, seconds <= Double(timeMax) else {
            throw TokenRefusal(.malformed, "its \(name) is not a time")
        }
        return Int(seconds)
    }
}

/// Where a claim is: its name, or a JSON pointer (RFC 6901) to one within others, as `/realm_access/roles`.
package struct ClaimPath: Sendable, Equatable {
    private let steps: [String]

    package init(_ text: String) {
        guard text.hasPrefix("/") else {
            steps = [text]
            return
        }
        steps = text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
            step in
            var name = ""
            var isEscaped = false
            for scalar in String(decoding: step, as: UTF8.self).unicodeScalars {
                if isEscaped {
                    name.unicodeScalars.append(scalar == "1" ? "/" : "~")
                    isEscaped = false
                } else if scalar == "~" {
                    isEscaped = true
                } else {
                    name.unicodeScalars.append(scalar)
                }
            }
            return name
        }
    }

    @_lifetime(copy claims)
    package func value(in claims: JSONValue) -> JSONValue? { Self.find(steps[...], in: claims) }

    @_lifetime(copy value)
    private static func find(_ steps: ArraySlice<String>, in value: JSONValue) -> JSONValue? {
        guard let name = steps.first else { return value }
        guard let next = value[key: name.utf8Span.span] else { return nil }
        return find(steps.dropFirst(), in: next)
    }
}
