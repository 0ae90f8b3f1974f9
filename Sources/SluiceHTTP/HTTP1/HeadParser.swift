internal import SluiceCore

/// Reads the head of an HTTP/1 message (RFC 9112) out of bytes that begin with the message. It accepts nothing doubtful.
///
/// Ask again with the same bytes and more after `nil`; what was searched for the head's end is not searched again. What a
/// head says does not depend on the pieces it comes in, but most of what is wrong with one that comes in pieces is seen only
/// at its end. A parser that threw is done with: so is its connection.
package struct HeadParser: Sendable {
    package let limits: HeadLimits
    /// How many bytes are known not to hold the end of the head; 0 before the first try.
    private var searched = 0
    private var firstLineEnded = false

    package init(limits: HeadLimits = HeadLimits()) { self.limits = limits }

    /// Forgets what was searched. A parser that returned a head has done so already.
    package mutating func reset() {
        searched = 0
        firstLineEnded = false
    }

    /// Reads a request's head. One empty line before it is skipped (RFC 9112 §2.2).
    ///
    /// - Returns: the head, its target in origin form, and how many bytes it took; `nil` until it has all arrived.
    package mutating func request(
        in bytes: Span<UInt8>
    ) throws(HeadError) -> (head: RequestHead, byteCount: Int)? {
        if searched > 0, !(try findEnd(bytes)) { return nil }
        let window = bytes.extracting(0..<min(bytes.count, limits.headBytesMax))
        if let parsed = try parseRequest(window) {
            reset()
            return parsed
        }
        if try findEnd(bytes) { throw .headTooLarge }  // it ends, but beyond the window
        return nil
    }

    /// Reads a response's head.
    ///
    /// - Returns: the head, the version that the upstream speaks and how many bytes the head took; `nil` until it has
    ///   all arrived.
    /// - Throws: `MalformedResponse.head`: 502.
    package mutating func response(
        in bytes: Span<UInt8>
    ) throws(MalformedResponse) -> (head: ResponseHead, version: HTTPVersion, byteCount: Int)? {
        do throws(HeadError) {
            firstLineEnded = true  // only a request's first line has a limit of its own
            if searched > 0, !(try findEnd(bytes)) { return nil }
            let window = bytes.extracting(0..<min(bytes.count, limits.headBytesMax))
            if let parsed = try parseResponse(window) {
                reset()
                return parsed
            }
            if try findEnd(bytes) { throw .headTooLarge }
            return nil
        } catch {
            throw .head(error)
        }
    }

    // MARK: Whole heads

    private func parseRequest(_ bytes: Span<UInt8>) throws(HeadError) -> (head: RequestHead, byteCount: Int)? {
        var position = 0
        if bytes.count > 0, bytes[0] == ASCII.carriageReturn {
            guard try FieldSection.endOfLine(bytes, at: &position) else { return nil }
        }
        guard let line = try RequestLine.read(bytes, at: &position, limits: limits) else { return nil }
        guard let fields = try FieldSection.read(bytes, at: &position, countMax: limits.fieldCountMax) else {
            return nil
        }
        return (try assemble(line, fields, bytes), position)
    }

    private func assemble(
        _ line: RequestLine, _ fields: consuming HeaderFields, _ bytes: Span<UInt8>
    ) throws(HeadError) -> RequestHead {
        let sent = bytes.extracting(line.target)
        let form = try TargetForm.read(sent, method: line.method)
        var authority: [UInt8] = []
        if let host = fields.index(of: .host) {
            if fields.index(of: .host, from: host + 1) != nil { throw .repeatedHost }
            let value = fields.value(at: host)
            if !Authority.isValid(value) { throw .invalidHost }
            if let named = form.authority, !Authority.agree(sent.extracting(named), value, isSecure: form.isSecure) {
                throw .hostDisagreesWithTarget
            }
            authority.append(copying: value)
        } else if line.version == .http11 {
            throw .missingHost
        } else if let named = form.authority {
            authority.append(copying: sent.extracting(named))
        }
        return RequestHead(
            version: line.version, method: line.method, target: form.target, authority: authority, fields: fields)
    }

    private func parseResponse(
        _ bytes: Span<UInt8>
    ) throws(HeadError) -> (head: ResponseHead, version: HTTPVersion, byteCount: Int)? {
        var position = 0
        guard let line = try StatusLine.read(bytes, at: &position) else { return nil }
        guard let fields = try FieldSection.read(bytes, at: &position, countMax: limits.fieldCountMax) else {
            return nil
        }
        return (ResponseHead(line.status, fields: fields), line.version, position)
    }

    // MARK: Waiting for the end

    /// Looks through the bytes that have arrived since, and says whether the head has ended.
    private mutating func findEnd(_ bytes: Span<UInt8>) throws(HeadError) -> Bool {
        var index = searched
        while let lineFeed = bytes.firstIndex(of: ASCII.lineFeed, from: index) {
            if lineFeed == 0 || bytes[lineFeed - 1] != ASCII.carriageReturn { throw .bareLineFeed }
            if lineFeed >= 3, bytes[lineFeed - 2] == ASCII.lineFeed { return true }
            if lineFeed > 1 { firstLineEnded = true }
            index = lineFeed + 1
        }
        searched = bytes.count
        if !firstLineEnded && bytes.count > limits.requestLineBytesMax { throw .targetTooLong }
        if bytes.count >= limits.headBytesMax { throw .headTooLarge }
        return false
    }
}
