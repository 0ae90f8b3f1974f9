internal import SluiceCore
internal import SluiceHTTP
internal import SluiceTLS

/// The token endpoint of Google's OAuth 2, for service accounts (RFC 7523): `POST /vertex/token`.
enum GoogleToken {
    private static let email = "sluice-mock@mock-project.iam.gserviceaccount.com"
    private static let scope = "https://www.googleapis.com/auth/cloud-platform"
    private static let lifetimeMax = 3600

    static func reply(_ call: DialectCall) throws(DialectFailure) -> Reply {
        let form = DialectCall.form(String(decoding: call.body.span))
        guard
            form.contains(where: {
                $0.name == "grant_type" && $0.value == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            }),
            let assertion = form.first(where: { $0.name == "assertion" })?.value
        else { throw .invalid("grant_type and assertion are required") }
        try check(assertion, now: call.now)
        let lifetime = call.options.tokenSeconds ?? lifetimeMax - 1
        return Reply([
            "access_token": .string(Seal.token("ya29", now: call.now, lifetime: lifetime)),
            "expires_in": .int(lifetime),
            "token_type": "Bearer",
        ])
    }

    /// What a JWT of the service account has to say, and its signature.
    static func check(_ assertion: String, now: Int) throws(DialectFailure) {
        let parts = assertion.split(separator: ".").map { Array($0.utf8) }
        guard parts.count == 3, let head = SignedText.json(base64URL: parts[0]),
            let claims = SignedText.json(base64URL: parts[1]),
            let signature = SignedText.decoded(base64URL: parts[2])
        else { throw .invalid("Bad Request: the assertion is no JWT") }
        if head["alg"]?.text != "RS256" { throw .invalid("Invalid JWT: alg must be RS256") }
        guard claims["iss"]?.text == email else { throw .invalid("Invalid grant: account not found") }
        guard claims["scope"]?.text?.contains(scope) == true || claims["target_audience"] != nil else {
            throw .invalid("Invalid OAuth scope or ID token audience provided.")
        }
        guard claims["aud"]?.text?.hasSuffix("/token") == true else {
            throw .invalid("Invalid JWT: aud must be the token endpoint")
        }
        guard let issued = claims["iat"]?.whole, issued >= 0, let end = claims["exp"]?.whole,
            issued <= now + MockCredentials.skewMax,
            end > now, end - issued <= lifetimeMax
        else {
            throw .invalid("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
        }
        let signed = parts[0] + [UInt8(ascii: ".")] + parts[1]
        if !RSAVerifier.isValid(signature, of: signed, modulusHex: modulus) { throw .invalid("Invalid JWT Signature.") }
    }

    /// `GET /vertex/service-account.json`: what an SDK reads, with a key that is good for nothing else.
    static func account(_ call: DialectCall) -> Reply {
        Reply([
            "type": "service_account", "project_id": "mock-project", "private_key_id": "mock",
            "private_key": .string(privateKey),
            "client_email": .string(email), "client_id": "1", "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": .string("http://\(call.header("host") ?? "127.0.0.1:4020")/vertex/token"),
        ])
    }

    static let modulus =
        "CA2B0C82093FCBB10536669F1EC5488C84B89E98044714AD287F83DC2CD35CEFBBC7DB7E303B1A853A4495BC44386F0E"
        + "CDE8FBF79C35F957AE74873AC0495CC8999D804CEB9A634A06D8CF7718D028E817703B8864FB73074DDA6AB82FCE3303"
        + "CBD4E4B8FB298F7179B3A7E4C452650DF536AF695B6DAD76CC10268922548E72D44A9EFD3A9FCD728A1C441908659899"
        + "E8C607588CC0427236656D9DE7B837EDA16E9BD8CDE00A3FE4E72C2F0AF2879B2B3E7EBD00FED7A2323B17690FEED815"
        + "E9669BE71833FA962D840E2744B81C1F47883E7493190AB78F231BFBA2D4990C42C295BA01FDB19DE17CBBCEC56A7213"
        + "A787072B229565AE1690DD03A252A48B"

    static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDKKwyCCT/LsQU2
        Zp8exUiMhLiemARHFK0of4PcLNNc77vH234wOxqFOkSVvEQ4bw7N6Pv3nDX5V650
        hzrASVzImZ2ATOuaY0oG2M93GNAo6BdwO4hk+3MHTdpquC/OMwPL1OS4+ymPcXmz
        p+TEUmUN9TavaVttrXbMECaJIlSOctRKnv06n81yihxEGQhlmJnoxgdYjMBCcjZl
        bZ3nuDftoW6b2M3gCj/k5ywvCvKHmys+fr0A/teiMjsXaQ/u2BXpZpvnGDP6li2E
        DidEuBwfR4g+dJMZCrePIxv7otSZDELClboB/bGd4Xy7zsVqchOnhwcrIpVlrhaQ
        3QOiUqSLAgMBAAECggEABLRY+HF2/WpIwAu32hbYZi4JlZCIJdcTY83P1cRNfiw1
        UA8e51ZO+tjNGlTofw2xqBw5HM7oR0u6Un1PVBLyvfQPZJoz2nRfl1gylQ69tG38
        a2uRAlutloUXU5KKAc404VpW9jeu6Gblp5xSaBw+Eac/iLEaVfKm66m74g4PEf99
        VkaezE9mj40gxH4r8eowrxaES/cgRK3Ax/t3E3sOFlbqpiQTnZA4lmrjnBdVL38A
        +FWTWRLqfNTXfuZSKNeEU5YqHsiX1/ucLtgzWNgp5QcG58fM37PrZhvEpx0qEllq
        1PW+uGKwAACg5WCCmuX+jTzgghDeCFp8jTljDQ19HQKBgQD1/Oe57tUrH+B++RTV
        uMqCAWGuNZS9KOVdDIq5m2CIq4JasYTIW3z6w0/s3utAdJF4kbnEqQEaI+2X3TXx
        cyFb8nohLKS7rQ1HsBgnZiev5/sJ1HeBlmGfM68XgTwhuuYOu6Tztxf/oOn+QkHg
        nh09zBDVjzgklNNjvdeCupuwfQKBgQDSZY8+QNGyV9zTBrAUx+uQj1B1CGToD19M
        tp1skxV/e1Mbm9VJ7SOcx2fjBQ+/szGbu5u4Sc8hGzFE52ZHf5UR1SgoPehf0cfy
        8pGdByqe11dSqYI7dPe/731KPrD+Ud1NPutOtKzy600L5fMRt3/ts5GnbigkRUq3
        WWWH4a7/pwKBgQDsRDzCLq6anCSBcHZdjP8c/Xy32gkB4tzikaBRA/clbi5nM+hI
        lO8m4B/NcJNetlffCYD3bih71hRn7/XW8nERIoXBhWK4TE/cEjww44KtB1DssSET
        27/qLLc5CU0bTKuZbQvTdoHbatA1AajKuLN3XqCwrr4LDNM5EueDTf8p9QKBgEen
        rxFUohZLNjnonS92pxOku5IgOb2O/rXxu8uujDPOnI9ak1mKGgbbItZ+cs6nCM4x
        Juesu45a5HzDEmJnYS2hmvuZmfqIR8DGPDFur2VJkcPlVyVIwNftiI4wq7bxypz0
        QM+dWQmieasDtbTi+f7KmWCcc69mqfunxpxwkFkhAoGAQgiCkr2kpoFWi5+SFdmO
        xt8VpIOiLwhxNzcOxUVJvjCzv7YFttWPXGY4F4jj/bQ3eeUKOinhgezaIVNwKH2R
        zqxeuOgj7nlAs8M0/Xb3eGtXidOLIYEv27sX43nJUlPWaL9INqL8g123twijoXEG
        IwkM5Oe6Cn+f1OR0DHvg4Eo=
        -----END PRIVATE KEY-----

        """
}
