internal import SluiceCore
internal import SluiceHTTP

/// The `reset` fields of rate limits, and the `remaining` fields that belong to them.
enum ResetFields {
    private static let families: InlineArray<2, StaticString> = ["x-ratelimit-", "anthropic-ratelimit-"]

    /// - Returns: milliseconds from now; `nil` if no field says when.
    static func wait(_ fields: borrowing HeaderFields, _ now: Int) -> Int? {
        var soonest: Int?
        var latestOfEmpty: Int?
        for index in 0..<fields.count where fields.field(at: index) == .other {
            guard let bucket = bucket(of: fields.name(at: index)),
                let wait = RetryText.reset(fields.value(at: index), now), wait > 0
            else { continue }
            if isEmpty(bucket, fields, at: index) {
                latestOfEmpty = max(wait, latestOfEmpty ?? 0)
            } else {
                soonest = min(wait, soonest ?? wait)
            }
        }
        return latestOfEmpty ?? soonest
    }

    /// What a bucket's other fields are named by: what stands before and after `reset`.
    private struct Bucket {
        let before: Range<Int>
        let after: Range<Int>
    }

    /// `x-ratelimit-reset-tokens`, `x-ratelimit-reset`, `anthropic-ratelimit-input-tokens-reset`
    private static func bucket(of name: Span<UInt8>) -> Bucket? {
        for index in families.indices where name.hasPrefix(families[index]) {
            let start = families[index].utf8CodeUnitCount
            let rest = name.extracting(start..<name.count)
            if rest.hasPrefix("reset"), rest.count == 5 || rest[5] == UInt8(ascii: "-") {
                return Bucket(before: 0..<start, after: start + 5..<name.count)
            }
            if rest.count > 6, rest.extracting(rest.count - 6..<rest.count).equals("-reset") {
                return Bucket(before: 0..<name.count - 5, after: name.count..<name.count)
            }
        }
        return nil
    }

    /// Whether the same bucket's `remaining` is 0.
    private static func isEmpty(_ bucket: Bucket, _ fields: borrowing HeaderFields, at reset: Int) -> Bool {
        let wanted = ByteBuffer(capacity: 64)
        wanted.append(fields.name(at: reset).extracting(bucket.before))
        wanted.append("remaining")
        wanted.append(fields.name(at: reset).extracting(bucket.after))
        for index in 0..<fields.count where fields.name(at: index).isSame(as: wanted.span) {
            return ASCII.decimal(fields.value(at: index)) == 0
        }
        return false
    }
}

extension Span where Element == UInt8 {
    fileprivate func isSame(as other: Span<UInt8>) -> Bool {
        if count != other.count { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
