package import SluiceCore
internal import SluiceHTTP
package import SluiceJSON
package import SluicePolicy

/// What an authorization server is asked about a token, and how its answer is read (RFC 7662 §2).
package struct Introspection: Sendable {
    /// How Sluice proves who asks (RFC 6749 §2.3.1).
    package enum ClientAuthentication: String, Sendable, CaseIterable { case basic, post }

    package var clientID: String
    package var clientSecret: Secret
    package var authentication = ClientAuthentication.basic
    package var rules = TokenRules()
    package var claims = ClaimMapping()
    /// Tells apart the same subject of two servers.
    package var name: String

    package init(name: String, clientID: String, clientSecret: Secret) {
        self.name = name
        self.clientID = clientID
        self.clientSecret = clientSecret
        rules.demandsExpiry = false
    }

    func fill(_ question: inout IdentityClient.Question, _ token: [UInt8]) {
        let form = ByteBuffer("token=")
        FormText.append(token.span, to: form)
        form.append("&token_type_hint=access_token")
        switch authentication {
        case .post:
            form.append("&client_id=")
            FormText.append(clientID.utf8Span.span, to: form)
            form.append("&client_secret=")
            clientSecret.withExposed { FormText.append($0, to: form) }
        case .basic: question.authorization = basic
        }
        question.bodyType = "application/x-www-form-urlencoded"
        question.body = [UInt8](copying: form.span)
    }

    private var basic: Secret {
        let pair = ByteBuffer()
        FormText.append(clientID.utf8Span.span, to: pair)
        pair.append(UInt8(ascii: ":"))
        clientSecret.withExposed { FormText.append($0, to: pair) }
        let value = ByteBuffer("Basic ")
        Base64.encode(pair.span, into: value)
        return Secret(value.span)
    }

    /// - Returns: who shows the token, and until when it is good, in seconds since 1970.
    package func read(
        _ answer: JSONValue, under policy: AccessPolicy, at now: Int
    ) throws(TokenRefusal) -> (Principal, Int) {
        guard answer["active"]?.bool == true else { throw TokenRefusal(.unknown, "it is not active") }
        let until = try rules.check(answer, at: now)
        var claims = claims
        // A client's own token has no other subject (§2.2).
        if answer["sub"] == nil {
            claims.subject = ClaimPath("client_id")
            if claims.user == ClaimPath("sub") { claims.user = ClaimPath("client_id") }
        }
        let principal = try claims.principal(
            answer, prefix: "oauth:\(name)#", kind: .introspected, under: policy)
        return (principal, until)
    }
}

/// Text in a form (WHATWG URL, application/x-www-form-urlencoded).
package enum FormText {
    package static func append(_ bytes: Span<UInt8>, to buffer: ByteBuffer) {
        for index in bytes.indices {
            let byte = bytes[index]
            if byte.isASCIILetter || byte.isDecimalDigit || "-._*".utf8.contains(byte) {
                buffer.append(byte)
            } else if byte == ASCII.space {
                buffer.append(UInt8(ascii: "+"))
            } else {
                buffer.append(UInt8(ascii: "%"))
                buffer.append(digit(byte >> 4))
                buffer.append(digit(byte & 15))
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + UInt8(ascii: "0") : value + (UInt8(ascii: "A") - 10)
    }

    /// `nil` for an escape that is none, or text that is not UTF-8.
    package static func decode(_ bytes: Span<UInt8>) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "+"): decoded.append(ASCII.space)
            case UInt8(ascii: "%"):
                guard at + 2 < bytes.count, let high = bytes[at + 1].hexDigitValue,
                    let low = bytes[at + 2].hexDigitValue
                else { return nil }
                decoded.append(UInt8(truncatingIfNeeded: high << 4 | low))
                at += 2
            default: decoded.append(bytes[at])
            }
            at += 1
        }
        return String(validating: decoded, as: UTF8.self)
    }
}
