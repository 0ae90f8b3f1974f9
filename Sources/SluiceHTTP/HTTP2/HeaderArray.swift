internal import CNghttp2
internal import SluiceCore

/// A header list on its way to the library, in memory of the caller's.
///
/// The library copies values when a message is submitted; names that are ours are static, and it keeps pointers to
/// them.
@unsafe struct HeaderArray {
    private let storage: UnsafeMutableBufferPointer<nghttp2_nv>
    private(set) var count = 0

    init(in storage: UnsafeMutableBufferPointer<nghttp2_nv>) { unsafe self.storage = unsafe storage }

    var base: UnsafePointer<nghttp2_nv>? { unsafe UnsafePointer(storage.baseAddress) }

    /// `value` must stay where it is until the message has been submitted.
    mutating func append(_ name: StaticString, _ value: UnsafeBufferPointer<UInt8>, flags: UInt32 = 0) {
        unsafe append(
            name: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value: value,
            flags: flags | NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue)
    }

    mutating func append(_ name: StaticString, _ value: StaticString) {
        unsafe append(
            name, UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount),
            flags: NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)
    }

    private mutating func append(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, flags: UInt32) {
        unsafe storage[count] = unsafe nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.baseAddress),
            value: UnsafeMutablePointer(mutating: value.baseAddress),
            namelen: name.count, valuelen: value.count, flags: UInt8(truncatingIfNeeded: flags))
        unsafe count += 1
    }

    /// Appends the fields that HTTP/2 carries. `fields` must stay alive until the message has been submitted.
    mutating func append(_ fields: borrowing HeaderFields, keepingContentLength: Bool) {
        for index in 0..<fields.count {
            let field = fields.field(at: index)
            if SentFields.never.contains(field) { continue }
            if field == .contentLength, !keepingContentLength { continue }
            if field == .te, !fields.value(at: index).equals("trailers") { continue }
            let value = unsafe fields.value(at: index).withUnsafeBufferPointer { unsafe $0 }
            let flags = SentFields.neverIndexed.contains(field) ? NGHTTP2_NV_FLAG_NO_INDEX.rawValue : 0
            if field == .other {
                let name = unsafe fields.name(at: index).withUnsafeBufferPointer { unsafe $0 }
                unsafe append(name: name, value: value, flags: flags)
            } else {
                unsafe append(field.name, value, flags: flags)
            }
        }
    }
}

/// Which of a message's fields HTTP/2 carries, and how.
enum SentFields {
    /// What says something about one HTTP/1.1 connection only (RFC 9113 §8.2.2); `Host` becomes `:authority`.
    static let never: FieldSet = [
        .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .http2Settings, .host,
    ]
    /// Secrets, which no table on the way may keep (RFC 7541 §7.1.3); the library adds `authorization` and short
    /// cookies.
    static let neverIndexed: FieldSet = [.authorization, .proxyAuthorization, .xAPIKey, .apiKey]
    /// Pseudo-header fields and a length, at most, beside a message's own fields.
    static let addedCountMax = 6
}

/// The three digits of a status, or the digits of a length, without an allocation.
@unsafe struct Digits {
    private let start: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    private var used = 0

    /// A length and a status together.
    static let capacityMax = 24

    init(in storage: UnsafeMutableBufferPointer<UInt8>) {
        unsafe start = unsafe storage.baseAddress.unsafelyUnwrapped
        unsafe capacity = storage.count
    }

    mutating func write(_ number: Int) -> UnsafeBufferPointer<UInt8> {
        let magnitude = number.magnitude
        let count = ASCII.decimalDigitCount(magnitude)
        unsafe precondition(used + count <= capacity, "no room for the digits of \(number)")
        var rest = magnitude
        for offset in (0..<count).reversed() {
            unsafe start[used + offset] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        defer { unsafe used += count }
        return unsafe UnsafeBufferPointer(start: start + used, count: count)
    }
}
