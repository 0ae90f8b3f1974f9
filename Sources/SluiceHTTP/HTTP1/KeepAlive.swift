extension HeaderFields {
    /// Whether the sender of these fields keeps the connection open after the exchange (RFC 9112 §9.3).
    ///
    /// For a response, one that ends with the connection (`BodyFraming.untilClose`) does not, whatever it says.
    package func keepsConnection(_ version: HTTPVersion) -> Bool {
        switch version {
        case .http11: !list(.connection, contains: "close")
        case .http10: list(.connection, contains: "keep-alive") && !list(.connection, contains: "close")
        case .http2: true
        }
    }
}
