internal import SluiceCore

package enum HTTPVersion: UInt8, Sendable { case http10, http11, http2 }

/// What stands before a request's body, whichever version of HTTP carried it.
package struct RequestHead {
    package var version: HTTPVersion
    package var method: Method
    /// The request target in origin form (`/v1/models?limit=2`), or `*` for OPTIONS. Only characters that RFC 3986
    /// allows, and square brackets in the query, which browsers and SDKs send.
    package var target: [UInt8]
    /// The value of `Host` or `:authority`; empty if there was none. Routing and authority never depend on it.
    package var authority: [UInt8]
    package var fields: HeaderFields

    package init(
        version: HTTPVersion, method: Method, target: [UInt8], authority: [UInt8] = [],
        fields: HeaderFields = HeaderFields()
    ) {
        self.version = version
        self.method = method
        self.target = target
        self.authority = authority
        self.fields = fields
    }

    /// The target up to its query.
    package var path: Span<UInt8> {
        @_lifetime(borrow self) get {
            let end = target.span.firstIndex(of: UInt8(ascii: "?")) ?? target.count
            return target.span.extracting(0..<end)
        }
    }
}
