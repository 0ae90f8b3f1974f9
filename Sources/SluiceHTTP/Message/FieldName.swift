internal import SluiceCore

/// The header fields that Sluice reads, writes or decides about, each a small number.
///
/// A field with another name is carried too; its name is then only bytes (`FieldName.other`).
package enum FieldName: UInt8, Sendable, CaseIterable {
    case other = 0
    case accept, acceptEncoding, acceptLanguage, authorization, cacheControl, connection, contentDisposition
    case contentEncoding, contentLength, contentType, cookie, date, expect, forwarded, host, http2Settings
    case idempotencyKey, ifMatch, ifNoneMatch, keepAlive, lastModified, etag, location, openaiBeta
    case openaiOrganization, openaiProcessingMS, openaiProject, openaiVersion, origin, proxyAuthenticate
    case proxyAuthorization, proxyConnection, referer, retryAfter, retryAfterMS, server, setCookie, te
    case traceparent, tracestate, trailer, transferEncoding, upgrade, userAgent, vary, via, wwwAuthenticate
    case xAPIKey, apiKey, xForwardedFor, xForwardedHost, xForwardedProto, xRequestID, xShouldRetry, age, allow
    case acceptRanges, contentRange, range, xClientRequestID, anthropicVersion, anthropicBeta

    /// The name in lower case, as HTTP/2 requires (RFC 9113 §8.2) and HTTP/1.1 allows.
    package var name: StaticString {
        switch self {
        case .other: ""
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .acceptLanguage: "accept-language"
        case .acceptRanges: "accept-ranges"
        case .age: "age"
        case .allow: "allow"
        case .anthropicBeta: "anthropic-beta"
        case .anthropicVersion: "anthropic-version"
        case .apiKey: "api-key"
        case .authorization: "authorization"
        case .cacheControl: "cache-control"
        case .connection: "connection"
        case .contentDisposition: "content-disposition"
        case .contentEncoding: "content-encoding"
        case .contentLength: "content-length"
        case .contentRange: "content-range"
        case .contentType: "content-type"
        case .cookie: "cookie"
        case .date: "date"
        case .etag: "etag"
        case .expect: "expect"
        case .forwarded: "forwarded"
        case .host: "host"
        case .http2Settings: "http2-settings"
        case .idempotencyKey: "idempotency-key"
        case .ifMatch: "if-match"
        case .ifNoneMatch: "if-none-match"
        case .keepAlive: "keep-alive"
        case .lastModified: "last-modified"
        case .location: "location"
        case .openaiBeta: "openai-beta"
        case .openaiOrganization: "openai-organization"
        case .openaiProcessingMS: "openai-processing-ms"
        case .openaiProject: "openai-project"
        case .openaiVersion: "openai-version"
        case .origin: "origin"
        case .proxyAuthenticate: "proxy-authenticate"
        case .proxyAuthorization: "proxy-authorization"
        case .proxyConnection: "proxy-connection"
        case .range: "range"
        case .referer: "referer"
        case .retryAfter: "retry-after"
        case .retryAfterMS: "retry-after-ms"
        case .server: "server"
        case .setCookie: "set-cookie"
        case .te: "te"
        case .traceparent: "traceparent"
        case .tracestate: "tracestate"
        case .trailer: "trailer"
        case .transferEncoding: "transfer-encoding"
        case .upgrade: "upgrade"
        case .userAgent: "user-agent"
        case .vary: "vary"
        case .via: "via"
        case .wwwAuthenticate: "www-authenticate"
        case .xAPIKey: "x-api-key"
        case .xClientRequestID: "x-client-request-id"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedHost: "x-forwarded-host"
        case .xForwardedProto: "x-forwarded-proto"
        case .xRequestID: "x-request-id"
        case .xShouldRetry: "x-should-retry"
        }
    }

    /// Which known field a name is. Case does not matter.
    package static func known(_ name: Span<UInt8>) -> FieldName { FieldNameTable.shared.lookUp(name, 0..<name.count) }

    @inlinable package static func == (a: FieldName, b: FieldName) -> Bool { a.rawValue == b.rawValue }
}

/// A set of known fields, for allow-lists. In two words: an integer of 128 bits would have whatever holds a set aligned, which
/// costs more than it.
package struct FieldSet: Sendable, ExpressibleByArrayLiteral {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    package init(arrayLiteral fields: FieldName...) { for field in fields { insert(field) } }

    @inline(__always) package func contains(_ field: FieldName) -> Bool {
        (field.rawValue < 64 ? low : high) &>> UInt64(field.rawValue & 63) & 1 != 0
    }

    @inline(__always) mutating func insert(_ field: FieldName) {
        let bit: UInt64 = 1 &<< UInt64(field.rawValue & 63)
        if field.rawValue < 64 { low |= bit } else { high |= bit }
    }

    mutating func remove(_ field: FieldName) {
        let bit: UInt64 = 1 &<< UInt64(field.rawValue & 63)
        if field.rawValue < 64 { low &= ~bit } else { high &= ~bit }
    }
}
