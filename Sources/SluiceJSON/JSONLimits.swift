/// What a document may be at most. The length of a body is bounded again, and lower, where it is received.
package struct JSONLimits: Sendable {
    /// How many arrays and objects may be open at once.
    package var depthMax = 128
    /// Bytes in a document: 4 GiB less one, since offsets are kept in 32 bits. A larger value has no effect.
    package var byteCountMax = Int(UInt32.max) - 1
    /// Entries on the tape: values, and keys of members. Each takes 16 bytes.
    package var entryCountMax = 1 << 20

    package init() {}
}
