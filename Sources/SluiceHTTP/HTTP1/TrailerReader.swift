internal import SluiceCore

/// Collects the trailer section of a chunked body (RFC 9112 §7.1.2). Almost always it is just the blank line.
struct TrailerReader {
    private var section: [UInt8] = []

    /// Takes bytes up to and including the blank line, and says whether that has come.
    mutating func read(
        _ bytes: Span<UInt8>, at offset: inout Int, limits: HeadLimits
    ) throws(BodyError) -> Bool {
        while offset < bytes.count {
            let lineFeed = bytes.firstIndex(of: ASCII.lineFeed, from: offset)
            let end = lineFeed.map { $0 + 1 } ?? bytes.count
            if section.count + (end - offset) > limits.headBytesMax { throw .trailers(.headTooLarge) }
            section.append(copying: bytes.extracting(offset..<end))
            offset = end
            if lineFeed == nil { return false }
            let count = section.count
            if count < 2 || section[count - 2] != ASCII.carriageReturn { throw .trailers(.bareLineFeed) }
            if count == 2 || section[count - 3] == ASCII.lineFeed { return true }
        }
        return false
    }

    /// The fields that may be used (RFC 9110 §6.5.1); `nil` if there are none.
    mutating func fields(limits: HeadLimits) throws(BodyError) -> HeaderFields? {
        if section.count == 2 { return nil }
        let all: HeaderFields
        do throws(HeadError) {
            var position = 0
            let read = try FieldSection.read(section.span, at: &position, countMax: limits.fieldCountMax)
            guard let read, position == section.count else { throw .bareCarriageReturn }
            all = read
        } catch {
            throw .trailers(error)
        }
        section = []
        let allowed = all.allowedInTrailers()
        return allowed.isEmpty ? nil : allowed
    }
}

extension HeaderFields {
    /// Fields that say how to frame, route, authenticate or process the message come too late in trailers.
    private static let notInTrailers: FieldSet = [
        .acceptEncoding, .age, .apiKey, .authorization, .cacheControl, .connection, .contentEncoding, .contentLength,
        .contentRange, .contentType, .cookie, .date, .expect, .forwarded, .host, .http2Settings, .ifMatch, .ifNoneMatch,
        .keepAlive, .location, .proxyAuthenticate, .proxyAuthorization, .proxyConnection, .range, .retryAfter,
        .setCookie,
        .te, .trailer, .transferEncoding, .upgrade, .vary, .via, .wwwAuthenticate, .xAPIKey, .xForwardedFor,
        .xForwardedHost, .xForwardedProto,
    ]

    /// The same without the fields that must not stand in trailers.
    func allowedInTrailers() -> HeaderFields {
        var allowed = HeaderFields()
        for index in 0..<count where !Self.notInTrailers.contains(field(at: index)) {
            allowed.append(name: name(at: index), value: value(at: index))
        }
        return allowed
    }
}
