/// Names of members that a reader knows: whether a key is one of them, and which, is one look for most.
package struct JSONNames: Sendable, ExpressibleByArrayLiteral {
    private let names: [StaticString]
    /// A bit for each length that a name has.
    private var lengths: UInt64 = 0

    /// - Parameter names: each up to 63 bytes, in UTF-8 and without escapes.
    package init(arrayLiteral names: StaticString...) {
        self.names = names
        for name in names {
            precondition(name.utf8CodeUnitCount < UInt64.bitWidth, "a name of \(name.utf8CodeUnitCount) bytes")
            lengths |= 1 << UInt64(name.utf8CodeUnitCount)
        }
    }

    /// The place of the member's key among the names, however it is escaped; `nil` if it is none of them.
    package func position(of member: JSONMember) -> Int? {
        let entry = member.object.entry(member.index)
        if !entry.has(JSONEntry.hasEscapes) {
            let count = entry.range.count &- 2
            if count >= UInt64.bitWidth || lengths & (1 &<< UInt64(truncatingIfNeeded: count)) == 0 { return nil }
        }
        for index in names.indices where member.object.isString(entry, names[index].bytes) { return index }
        return nil
    }

    package func contains(_ member: JSONMember) -> Bool { position(of: member) != nil }
}
