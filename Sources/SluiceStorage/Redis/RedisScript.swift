internal import SluiceTLS

/// A Lua script that Redis runs as one atomic step. Sent by its hash; whole only to a server that does not have it.
package struct RedisScript: Sendable {
    let source: StaticString
    /// SHA-1 in hexadecimal, by which Redis knows it.
    let hash: String
    /// The hash as an argument of a command.
    let argument: [UInt8]

    /// Keeps the hash: make a script once, not for every call.
    package init(_ source: StaticString) {
        self.source = source
        hash = unsafe SHA1.hash(Span(_unsafeStart: source.utf8Start, count: source.utf8CodeUnitCount)).hexadecimal
        argument = Array("$\(hash.utf8.count)\r\n\(hash)\r\n".utf8)
    }
}
