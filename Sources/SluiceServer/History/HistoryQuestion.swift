internal import SluiceCore
internal import SluicePolicy
internal import SluiceStorage

/// What a request to the history asks for, checked.
struct HistoryQuestion: Sendable {
    var filter = HistoryFilter()
    var cursor: HistoryCursor?
    var count = 50

    private static let textByteCountMax = 256

    init(_ request: ManagementRequest) throws(ManagementError) {
        filter.principal = try Self.scope(request.principal, .readOwnHistory, .readAllHistory)
        filter.user = try Self.text("user", request)
        filter.team = try Self.text("team", request)
        filter.model = try Self.text("model", request)
        filter.provider = try Self.text("provider", request)
        filter.requestID = try Self.text("request_id", request)
        filter.text = try Self.text("text", request)
        if let principal = try Self.text("principal", request) {
            // Who may see only his own sees nothing of somebody else's.
            if let own = filter.principal, own != principal { throw Self.notAllowed(.readAllHistory) }
            filter.principal = principal
        }
        try readStatus(request)
        filter.from = try Self.time("from", request)
        filter.until = try Self.time("to", request)
        count = try request.integer("limit", default: 50, in: 1...RecordHistory.pageMax)
        if let text = request.query("cursor") {
            guard let cursor = HistoryCursor(text, for: filter) else {
                throw ManagementError(
                    .invalidParameter, "cursor is the next_cursor of a page of the same question.", param: "cursor")
            }
            self.cursor = cursor
        }
    }

    /// Whose records the principal may see: `nil` for all.
    static func scope(
        _ principal: Principal, _ own: AdminAction, _ all: AdminAction
    ) throws(ManagementError) -> String? {
        if principal.access.allows(all) { return nil }
        if principal.access.allows(own) { return principal.id }
        throw notAllowed(own)
    }

    private static func notAllowed(_ action: AdminAction) -> ManagementError {
        ManagementError(
            .permissionDenied, "This credential may not do that: it takes \(action.rawValue).", param: action.rawValue)
    }

    static func text(_ name: StaticString, _ request: ManagementRequest) throws(ManagementError) -> String? {
        guard let text = request.query(name) else { return nil }
        guard 1...textByteCountMax ~= text.utf8.count else {
            throw ManagementError(.invalidParameter, "\(name) has 1 to \(textByteCountMax) bytes.", param: "\(name)")
        }
        return text
    }

    /// An outcome by name, `failed` for every one but complete, or an HTTP status.
    private mutating func readStatus(_ request: ManagementRequest) throws(ManagementError) {
        guard let text = request.query("status") else { return }
        if text == "failed" {
            filter.isFailure = true
        } else if let outcome = InvocationRecord.Outcome(text) {
            filter.outcome = outcome
        } else if let code = Int(text), 100...599 ~= code {
            filter.httpStatus = code
        } else {
            let names = InvocationRecord.Outcome.allCases.map { "\($0.name)" }.joined(separator: ", ")
            throw ManagementError(
                .invalidParameter, "status is \(names), failed, or an HTTP status from 100 to 599.", param: "status")
        }
    }

    /// Milliseconds since 1970, or a time as in RFC 3339.
    static func time(_ name: StaticString, _ request: ManagementRequest) throws(ManagementError) -> Int? {
        guard let text = request.query(name) else { return nil }
        if let number = Int(text), 0...8_000_000_000_000 ~= number { return number }
        if let milliseconds = RecordTime.milliseconds(text) { return milliseconds }
        throw ManagementError(
            .invalidParameter, "\(name) is a time as 2026-01-31T08:00:00Z, or milliseconds since 1970.",
            param: "\(name)")
    }
}

/// Times as people write them (RFC 3339 §5.6), in UTC or with an offset; a date alone is its first moment in UTC.
enum RecordTime {
    static func milliseconds(_ text: String) -> Int? {
        let bytes = text.utf8Span.span
        guard let day = day(bytes) else { return nil }
        if bytes.count == 10 { return day * 86_400_000 }
        guard bytes.count >= 20, bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "),
            let hour = two(bytes, 11), bytes[13] == UInt8(ascii: ":"), let minute = two(bytes, 14),
            bytes[16] == UInt8(ascii: ":"), let second = two(bytes, 17), hour < 24, minute < 60, second <= 60
        else { return nil }
        var at = 19
        var fraction = 0
        if bytes[at] == UInt8(ascii: ".") {
            at += 1
            var weight = 100
            while at < bytes.count, let digit = bytes[at].decimalDigit {
                fraction += digit * weight
                weight /= 10
                at += 1
            }
        }
        guard at < bytes.count, let offset = offset(bytes.extracting(at..<bytes.count)) else { return nil }
        return ((day * 24 + hour) * 60 + minute - offset) * 60_000 + second * 1000 + fraction
    }

    /// Days since 1970 of `2026-01-31`.
    static func day(_ bytes: Span<UInt8>) -> Int? {
        guard bytes.count >= 10, let century = two(bytes, 0), let year = two(bytes, 2), bytes[4] == UInt8(ascii: "-"),
            let month = two(bytes, 5), bytes[7] == UInt8(ascii: "-"), let day = two(bytes, 8), 1...12 ~= month,
            1...31 ~= day,
            century >= 19
        else { return nil }
        // Howard Hinnant's days_from_civil: a year that begins in March.
        let shifted = century * 100 + year - (month <= 2 ? 1 : 0)
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let number = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return max(0, number)
    }

    /// `Z` or `+08:00`, in minutes.
    private static func offset(_ bytes: Span<UInt8>) -> Int? {
        if bytes.count == 1, bytes[0] | 0x20 == UInt8(ascii: "z") { return 0 }
        // A plus sign in a query that nobody escaped is a space.
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), let hours = two(bytes, 1), let minutes = two(bytes, 4),
            hours < 24, minutes < 60
        else { return nil }
        switch bytes[0] {
        case UInt8(ascii: "+"), UInt8(ascii: " "): return hours * 60 + minutes
        case UInt8(ascii: "-"): return -(hours * 60 + minutes)
        default: return nil
        }
    }

    private static func two(_ bytes: Span<UInt8>, _ at: Int) -> Int? {
        guard at + 1 < bytes.count, let high = bytes[at].decimalDigit, let low = bytes[at + 1].decimalDigit else {
            return nil
        }
        return high * 10 + low
    }

    /// `2026-01-31` of days since 1970.
    static func text(ofDay day: Int) -> String {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = "\(number)"
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, 2))"
    }
}

extension UInt8 {
    fileprivate var decimalDigit: Int? { isDecimalDigit ? Int(self - UInt8(ascii: "0")) : nil }
}
