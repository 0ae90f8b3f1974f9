import SluiceCore
import SluiceIdentity
import SluiceJSON
import SluiceTLS
import TestSupport
import Testing

/// The examples of RFC 7515 (appendix A) and RFC 8037 (appendix A).
@Suite struct `Signatures of the standards` {
    struct Example: Sendable, CustomTestStringConvertible {
        let name: String
        let key: String
        let token: String
        var testDescription: String { name }
    }

    private static let claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    static let examples = [
        Example(
            name: "RFC 7515 A.1, HS256",
            key:
                #"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
            token: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + claims
                + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        Example(
            name: "RFC 7515 A.2, RS256",
            key:
                #"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#,
            token: "eyJhbGciOiJSUzI1NiJ9." + claims
                + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
        ),
        Example(
            name: "RFC 7515 A.3, ES256",
            key:
                #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
            token: "eyJhbGciOiJFUzI1NiJ9." + claims
                + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
        Example(
            name: "RFC 7515 A.4, ES512",
            key:
                #"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}"#,
            token:
                "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"
        ),
        Example(
            name: "RFC 8037 A.4, EdDSA",
            key: #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            token:
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        ),
    ]

    private func finding(_ example: Example, changing offset: Int? = nil) throws -> KeySet.Finding {
        let document = #"{"keys":[\#(example.key)]}"#
        let keys = try KeySet(document.utf8Span.span, tape: JSONTape(), takesSecrets: true)
        #expect(keys.keys.count == 1, "\(keys.notes)")
        let token = Array(example.token.utf8)
        let parsed = try JSONWebToken(token.span, tape: JSONTape())
        var signed = Array(token[..<parsed.signedByteCount])
        if let offset { signed[offset] ^= 1 }
        return keys.verify(parsed, signed: signed.span)
    }

    @Test(arguments: examples) func `are verified`(example: Example) throws {
        #expect(try finding(example) == .verified)
    }

    @Test(arguments: examples) func `are no signatures of anything else`(example: Example) throws {
        #expect(try finding(example, changing: 0) == .unknownKey)
        #expect(try finding(example, changing: 25) == .unknownKey)
    }

    @Test(arguments: examples) func `are not verified with a key of another kind`(example: Example) throws {
        for other in Self.examples where other.name != example.name {
            let document = #"{"keys":[\#(other.key)]}"#
            let keys = try KeySet(document.utf8Span.span, tape: JSONTape(), takesSecrets: true)
            let token = Array(example.token.utf8)
            let parsed = try JSONWebToken(token.span, tape: JSONTape())
            let finding = keys.verify(parsed, signed: token.span.extracting(0..<parsed.signedByteCount))
            #expect(finding == .unknownKey, "\(other.name)")
        }
    }

    @Test(arguments: [PrivateKey.Kind.p256, .ed25519])
    func `are made and verified by keys that are made here`(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let message = "a message"
        let signature = try key.sign(message.utf8Span.span)
        let publicKey = try #require(key.publicKey)
        let algorithm: SignatureAlgorithm = kind == .p256 ? .es256 : .edDSA
        #expect(signature.count == 64)
        func isTaken(_ signature: [UInt8], of message: String) -> Bool {
            publicKey.verifies(signature.span, of: message.utf8Span.span, by: algorithm)
        }
        #expect(isTaken(signature, of: message))
        #expect(!isTaken(signature, of: "another"))
        // CVE-2022-21449: a signature of zeros fits every message where nobody looks.
        #expect(!isTaken([UInt8](repeating: 0, count: 64), of: message))
        #expect(!isTaken([], of: message))
    }
}
