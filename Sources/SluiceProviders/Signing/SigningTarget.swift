internal import SluiceCore

/// A request target as signatures see it: a path, and a query put in order.
struct SigningTarget: ~Escapable {
    let path: Span<UInt8>
    private let query: Span<UInt8>

    /// - Parameter target: in origin form, as it is sent.
    @_lifetime(copy target)
    init(_ target: Span<UInt8>) {
        let mark = target.firstIndex(of: UInt8(ascii: "?")) ?? target.count
        path = target.extracting(0..<mark)
        query = target.extracting(min(mark + 1, target.count)..<target.count)
    }

    /// Appends the query's pairs as `name=value`, each encoded once, sorted, with `&` between them.
    ///
    /// - Parameter left: a name whose pairs are left out, in lower case.
    func appendQuery(without left: StaticString = "", to buffer: ByteBuffer) {
        if query.isEmpty { return }
        var pairs: [[UInt8]] = []
        var start = 0
        while start <= query.count {
            let end = query.firstIndex(of: UInt8(ascii: "&"), from: start) ?? query.count
            if end > start, let pair = Self.pair(query.extracting(start..<end), without: left) { pairs.append(pair) }
            start = end + 1
        }
        // "=" sorts after "-" and ".", so names are compared first; a name cannot hold one once it is encoded.
        pairs.sort { $0.lexicographicallyPrecedes($1, by: { Self.rank($0) < Self.rank($1) }) }
        for (index, pair) in pairs.enumerated() {
            if index > 0 { buffer.append(UInt8(ascii: "&")) }
            buffer.append(pair.span)
        }
    }

    private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "=") ? 0 : byte }

    private static func pair(_ pair: Span<UInt8>, without left: StaticString) -> [UInt8]? {
        let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
        if ASCII.equalsIgnoringCase(pair.extracting(0..<equals), left) { return nil }
        let encoded = ByteBuffer(capacity: pair.count + 16)
        let decoded = ByteBuffer(capacity: pair.count)
        PercentEncoding.appendDecoded(pair.extracting(0..<equals), to: decoded)
        PercentEncoding.append(decoded.span, to: encoded)
        encoded.append(UInt8(ascii: "="))
        decoded.removeAll()
        PercentEncoding.appendDecoded(pair.extracting(min(equals + 1, pair.count)..<pair.count), to: decoded)
        PercentEncoding.append(decoded.span, to: encoded)
        return (0..<encoded.count).map { encoded[$0] }
    }
}
