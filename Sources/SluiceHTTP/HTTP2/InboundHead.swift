internal import SluiceCore

/// The header block that is being received; there is never more than one a connection (RFC 9113 §4.3).
///
/// The library has checked names, values, order and presence (RFC 9113 §8.2, §8.3) before a field gets here.
struct InboundHead {
    var slot = -1
    var isTrailers = false
    private(set) var fields = HeaderFields()
    private(set) var refusal: HTTP2Refusal?
    private(set) var statusCode: UInt16 = 0
    private var method = Method.other
    private var target: [UInt8] = []
    private var authority: [UInt8] = []
    private var cookie: [UInt8] = []
    private var isSecure = false
    private var listByteCount = 0
    private var fieldCount = 0

    /// What a usual message's fields need: no growing while they arrive.
    private static let usualByteCount = 512
    private static let usualFieldCount = 16
    /// How far over the limit a list is still decoded, for a proper answer.
    private static let excess = 4

    mutating func begin(slot: Int, isTrailers: Bool) {
        self.slot = slot
        self.isTrailers = isTrailers
        refusal = nil
        statusCode = 0
        method = .other
        isSecure = false
        if !target.isEmpty { target = [] }
        if !authority.isEmpty { authority = [] }
        if !cookie.isEmpty { cookie = [] }
        listByteCount = 0
        fieldCount = 0
        fields = HeaderFields(reservingBytes: Self.usualByteCount, fields: Self.usualFieldCount)
    }

    /// - Returns: false if the list is so long that the connection must go.
    mutating func append(name: Span<UInt8>, value: Span<UInt8>, limits: HTTP2Limits) -> Bool {
        listByteCount += name.count + value.count + 32
        fieldCount += 1
        if listByteCount > limits.headerListByteCount || fieldCount > limits.headerFieldCount {
            if refusal != .headersTooLarge {
                refusal = .headersTooLarge
                fields = HeaderFields()
                cookie = []
            }
            return listByteCount <= Self.excess * limits.headerListByteCount
                && fieldCount <= Self.excess * limits.headerFieldCount
        }
        if name.count > 0, name[0] == UInt8(ascii: ":") {
            takePseudo(name: name, value: value, limits: limits)
        } else if name.count == 6, name.equals("cookie") {
            takeCookie(value)
        } else {
            fields.append(name: name, value: value)
        }
        return true
    }

    private mutating func takePseudo(name: Span<UInt8>, value: Span<UInt8>, limits: HTTP2Limits) {
        if name.equals(":method") {
            method = Method(value)
        } else if name.equals(":path") {
            if value.count > limits.targetByteCount {
                refusal = .targetTooLong
            } else {
                target = [UInt8](copying: value)
            }
        } else if name.equals(":authority") {
            authority = [UInt8](copying: value)
        } else if name.equals(":scheme") {
            isSecure = ASCII.equalsIgnoringCase(value, "https")
        } else if name.equals(":status") {
            statusCode = ASCII.decimal(value).flatMap(UInt16.init(exactly:)) ?? 0
        }
    }

    /// Crumbs become one field again (RFC 9113 §8.2.3).
    private mutating func takeCookie(_ crumb: Span<UInt8>) {
        if !cookie.isEmpty { cookie += [UInt8(ascii: ";"), UInt8(ascii: " ")] }
        cookie.append(copying: crumb)
    }

    /// The complete fields; the block holds none afterwards.
    mutating func takeFields() -> HeaderFields {
        var taken = fields
        fields = HeaderFields()
        if !cookie.isEmpty { taken.append(.cookie, cookie.span) }
        return taken
    }

    /// The complete request, or why it is not passed on.
    mutating func takeRequest() -> Result<RequestHead, RefusedRequest> {
        if let refusal { return .failure(RefusedRequest(refusal: refusal)) }
        if let refusal = judgeRequest() { return .failure(RefusedRequest(refusal: refusal)) }
        return .success(
            RequestHead(version: .http2, method: method, target: target, authority: authority, fields: takeFields()))
    }

    private mutating func judgeRequest() -> HTTP2Refusal? {
        if method == .connect { return .connectMethod }
        let isAsterisk = method == .options && target == [UInt8(ascii: "*")]
        if !isAsterisk, !RequestTarget.isOriginForm(target.span) { return .targetInvalid }
        if let host = fields.index(of: .host) {
            if authority.isEmpty {
                let value = [UInt8](copying: fields.value(at: host))
                authority = value
            } else if !Authority.agree(authority.span, fields.value(at: host), isSecure: isSecure) {
                return .authorityInvalid
            }
        }
        return Authority.isValid(authority.span) ? nil : .authorityInvalid
    }
}

/// A request that gets an answer but goes nowhere.
struct RefusedRequest: Error {
    let refusal: HTTP2Refusal
}
