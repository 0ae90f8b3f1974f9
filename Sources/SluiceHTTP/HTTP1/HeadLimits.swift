/// How much of a head is accepted.
package struct HeadLimits: Sendable, Equatable {
    /// All of a head: first line, fields and line ends, in bytes. Over it: 431.
    package var headBytesMax = 65_536
    /// Fields in a head or in trailers. Over it: 431.
    package var fieldCountMax = 200
    /// The request target, in bytes. Over it: 414.
    package var targetBytesMax = 16_384

    /// A request line that is longer than this has too long a target, wherever it ends.
    var requestLineBytesMax: Int { targetBytesMax + 64 }

    package init() {}
}
