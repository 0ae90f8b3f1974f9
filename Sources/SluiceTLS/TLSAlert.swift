/// The number of a TLS alert (RFC 8446 §6).
package struct TLSAlert: RawRepresentable, Sendable, Equatable, CustomStringConvertible {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let handshakeFailure = TLSAlert(rawValue: 40)
    package static let badCertificate = TLSAlert(rawValue: 42)
    package static let unsupportedCertificate = TLSAlert(rawValue: 43)
    package static let certificateRevoked = TLSAlert(rawValue: 44)
    package static let certificateExpired = TLSAlert(rawValue: 45)
    package static let certificateUnknown = TLSAlert(rawValue: 46)
    package static let unknownAuthority = TLSAlert(rawValue: 48)
    package static let protocolVersion = TLSAlert(rawValue: 70)
    package static let unrecognizedName = TLSAlert(rawValue: 112)
    package static let certificateRequired = TLSAlert(rawValue: 116)
    package static let noApplicationProtocol = TLSAlert(rawValue: 120)

    /// The name in the RFC's spelling.
    package var description: String {
        switch rawValue {
        case 0: "close_notify"
        case 10: "unexpected_message"
        case 20: "bad_record_mac"
        case 22: "record_overflow"
        case 40: "handshake_failure"
        case 42: "bad_certificate"
        case 43: "unsupported_certificate"
        case 44: "certificate_revoked"
        case 45: "certificate_expired"
        case 46: "certificate_unknown"
        case 47: "illegal_parameter"
        case 48: "unknown_ca"
        case 49: "access_denied"
        case 50: "decode_error"
        case 51: "decrypt_error"
        case 70: "protocol_version"
        case 71: "insufficient_security"
        case 80: "internal_error"
        case 86: "inappropriate_fallback"
        case 90: "user_canceled"
        case 109: "missing_extension"
        case 110: "unsupported_extension"
        case 112: "unrecognized_name"
        case 113: "bad_certificate_status_response"
        case 115: "unknown_psk_identity"
        case 116: "certificate_required"
        case 120: "no_application_protocol"
        default: "alert \(rawValue)"
        }
    }

    /// What usually lies behind the alert when a peer sends it to us, to end a sentence with.
    var advice: String {
        switch self {
        case .handshakeFailure: "; it may want a client certificate, or shares no cipher suite with us"
        case .badCertificate, .unsupportedCertificate, .certificateRevoked, .certificateExpired, .certificateUnknown:
            "; it does not accept our certificate"
        case .unknownAuthority: "; it does not trust the authority that signed our certificate"
        case .protocolVersion: "; it does not speak TLS 1.2 or 1.3"
        case .unrecognizedName: "; it does not serve that host name"
        case .certificateRequired: "; it requires a client certificate"
        case .noApplicationProtocol: "; it speaks none of the application protocols we offered"
        default: ""
        }
    }
}
