internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluicePolicy

/// What rules may ask of a request, read when they do.
struct RequestFacts: RouteFacts {
    let model: String
    let context: RequestContext

    var caller: Caller { context.caller }
    var scene: String? { context.scene }
    var isStream: Bool { context.isStream }

    /// What has come of it; for one that is passed on while it comes, what it says.
    var bodyByteCount: Int {
        if case .known(let byteCount) = context.exchange.bodyLength { return byteCount }
        return context.exchange.receivedByteCount
    }

    func header(_ lowercaseName: String) -> String? {
        guard let index = index(of: lowercaseName, from: 0) else { return nil }
        let fields = context.exchange.head.fields
        return String(decoding: fields.value(at: index))
    }

    func hasHeader(_ lowercaseName: String, matching patterns: [NamePattern]) -> Bool {
        var next = index(of: lowercaseName, from: 0)
        if patterns.isEmpty { return next != nil }
        let fields = context.exchange.head.fields
        while let index = next {
            let value = String(decoding: fields.value(at: index))
            if matches(value, patterns) || value.utf8.contains(UInt8(ascii: ",")) && hasElement(value, patterns) {
                return true
            }
            next = self.index(of: lowercaseName, from: index + 1)
        }
        return false
    }

    private func matches(_ value: String, _ patterns: [NamePattern]) -> Bool {
        patterns.contains { $0.matches(value) }
    }

    /// One of the elements that commas part.
    private func hasElement(_ value: String, _ patterns: [NamePattern]) -> Bool {
        value.utf8.split(separator: UInt8(ascii: ",")).contains { element in
            let trimmed = Array(element).span
            return matches(String(decoding: trimmed.extracting(trimmed.trimmingOptionalWhitespace())), patterns)
        }
    }

    private func index(of lowercaseName: String, from start: Int) -> Int? {
        let fields = context.exchange.head.fields
        var index = start
        while index < fields.count {
            if Self.isEqual(fields.name(at: index), lowercaseName.utf8Span.span) { return index }
            index += 1
        }
        return nil
    }

    private static func isEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        if a.count != b.count { return false }
        for index in a.indices where a[index] != b[index] { return false }
        return true
    }
}
