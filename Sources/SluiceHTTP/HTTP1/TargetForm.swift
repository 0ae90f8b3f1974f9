internal import SluiceCore

/// Turns each form of a request target (RFC 9112 §3.2) into origin form.
struct TargetForm {
    /// Origin form, or `*`.
    let target: [UInt8]
    /// Where the authority of an absolute form stands in the target that was read; `nil` for the other forms.
    let authority: Range<Int>?
    let isSecure: Bool

    static func read(_ target: Span<UInt8>, method: Method) throws(HeadError) -> TargetForm {
        if target[0] == UInt8(ascii: "/") {
            if !RequestTarget.isOriginForm(target) { throw .invalidTarget }
            return TargetForm(target: Array(copying: target), authority: nil, isSecure: false)
        }
        if target.equals("*") {
            if method != .options { throw .asteriskWithoutOptions }
            return TargetForm(target: [UInt8(ascii: "*")], authority: nil, isSecure: false)
        }
        return try absolute(target, method: method)
    }

    private static func absolute(_ target: Span<UInt8>, method: Method) throws(HeadError) -> TargetForm {
        let isSecure = hasScheme(target, "https://")
        if !isSecure && !hasScheme(target, "http://") { throw .invalidTarget }
        let start = isSecure ? 8 : 7
        var end = start
        while end < target.count, target[end] != UInt8(ascii: "/"), target[end] != UInt8(ascii: "?") { end += 1 }
        if !Authority.isValid(target.extracting(start..<end)) { throw .invalidTarget }
        return TargetForm(
            target: try originForm(target.extracting(end...), method: method), authority: start..<end,
            isSecure: isSecure)
    }

    /// An empty path is `/`, or `*` in OPTIONS, which then asks about the server (RFC 9112 §3.2.4).
    private static func originForm(_ rest: Span<UInt8>, method: Method) throws(HeadError) -> [UInt8] {
        if rest.isEmpty { return [method == .options ? UInt8(ascii: "*") : UInt8(ascii: "/")] }
        var target: [UInt8] = rest[0] == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
        target.append(copying: rest)
        if !RequestTarget.isOriginForm(target.span) { throw .invalidTarget }
        return target
    }

    private static func hasScheme(_ target: Span<UInt8>, _ scheme: StaticString) -> Bool {
        target.count >= scheme.utf8CodeUnitCount
            && ASCII.equalsIgnoringCase(target.extracting(0..<scheme.utf8CodeUnitCount), scheme)
    }
}
