internal import SluiceCore

/// The headers of a frame, one after another: `while let header = try headers.next()`.
package struct EventStreamHeaders: ~Escapable {
    private let bytes: Span<UInt8>
    private var at = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    /// - Throws: `.malformedHeader`; never for the headers of a frame that the parser reported.
    @_lifetime(copy self)
    package mutating func next() throws(EventStreamError) -> EventStreamHeader? {
        if at == bytes.count { return nil }
        let nameByteCount = Int(bytes[at])
        let type = at + 1 + nameByteCount
        if nameByteCount == 0 || type >= bytes.count { throw .malformedHeader }
        let rest = bytes.extracting(type + 1..<bytes.count)
        let value = try Self.value(ofType: bytes[type], in: rest)
        let header = EventStreamHeader(
            name: bytes.extracting(at + 1..<type), kind: value.kind, value: rest.extracting(value.range))
        at = type + 1 + value.range.upperBound
        return header
    }

    private static func value(
        ofType type: UInt8, in rest: Span<UInt8>
    ) throws(EventStreamError) -> (kind: EventStreamHeader.Kind, range: Range<Int>) {
        guard let kind = EventStreamHeader.Kind(rawValue: type) else { throw .malformedHeader }
        var range = 0..<0
        switch kind {
        case .true, .false: break
        case .int8: range = 0..<1
        case .int16: range = 0..<2
        case .int32: range = 0..<4
        case .int64, .timestamp: range = 0..<8
        case .uuid: range = 0..<16
        case .bytes, .string:
            if rest.count < 2 { throw .malformedHeader }
            range = 2..<2 + Int(rest.bigEndian16(at: 0))
        }
        if range.upperBound > rest.count { throw .malformedHeader }
        return (kind, range)
    }
}

/// One header: its name, and its value with its type.
package struct EventStreamHeader: ~Escapable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case `true` = 0
        case `false` = 1
        case int8 = 2
        case int16 = 3
        case int32 = 4
        case int64 = 5
        case bytes = 6
        case string = 7
        /// Milliseconds since 1970.
        case timestamp = 8
        case uuid = 9
    }

    package let name: Span<UInt8>
    package let kind: Kind
    /// As it was sent, big-endian, without the length that stands before strings and bytes.
    package let value: Span<UInt8>

    @_lifetime(copy name, copy value)
    init(name: Span<UInt8>, kind: Kind, value: Span<UInt8>) {
        self.name = name
        self.kind = kind
        self.value = value
    }

    /// `nil` if it is not a boolean.
    package var bool: Bool? { kind == .true ? true : kind == .false ? false : nil }

    /// A whole number, or a timestamp's milliseconds; `nil` for other types.
    package var int: Int? {
        switch kind {
        case .int8: Int(Int8(bitPattern: value[0]))
        case .int16: Int(Int16(bitPattern: value.bigEndian16(at: 0)))
        case .int32: Int(Int32(bitPattern: value.bigEndian32(at: 0)))
        case .int64, .timestamp: Int(Int64(bitPattern: value.bigEndian64(at: 0)))
        case .true, .false, .bytes, .string, .uuid: nil
        }
    }

    /// A string's bytes; `nil` for other types.
    package var string: Span<UInt8>? {
        @_lifetime(copy self) get { kind == .string ? value : nil }
    }
}
