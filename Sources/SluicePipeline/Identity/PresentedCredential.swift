internal import SluiceCore
internal import SluiceHTTP

/// The credential in a request's head. Every field that may hold one is read here, and nowhere else.
enum PresentedCredential: Equatable {
    case none
    /// Where it stands: the position of its field, and how much of the value is before it.
    case token(field: Int, offset: Int)
    /// There are two, and they differ: another reader of the request could see another principal.
    case ambiguous
    /// `Authorization` with another scheme than `Bearer`.
    case unsupported

    private static let fields: [FieldName] = [.authorization, .xAPIKey, .apiKey]
    private static let scheme: StaticString = "bearer "

    init(_ fields: borrowing HeaderFields) {
        self = .none
        for name in Self.fields {
            var position = fields.index(of: name)
            while let index = position {
                add(Self.read(index, name, fields), fields)
                position = fields.index(of: name, from: index + 1)
            }
        }
    }

    private static func read(_ index: Int, _ name: FieldName, _ fields: borrowing HeaderFields) -> Self {
        let value = fields.value(at: index)
        if value.isEmpty { return .none }
        if name != .authorization { return .token(field: index, offset: 0) }
        guard value.hasPrefixIgnoringCase(scheme) else { return .unsupported }
        var offset = scheme.utf8CodeUnitCount
        while offset < value.count, value[offset] == UInt8(ascii: " ") { offset += 1 }
        return offset < value.count ? .token(field: index, offset: offset) : .none
    }

    private mutating func add(_ other: Self, _ fields: borrowing HeaderFields) {
        switch (self, other) {
        case (_, .none), (.ambiguous, _): break
        case (.none, _): self = other
        case (.token(let a, let start), .token(let b, let otherStart)):
            let first = fields.value(at: a)
            let second = fields.value(at: b)
            if !first.extracting(start..<first.count).isEqual(to: second.extracting(otherStart..<second.count)) {
                self = .ambiguous
            }
        default: self = .ambiguous
        }
    }
}

extension Span<UInt8> {
    /// Which of two that differ is right shows in the time; both are the caller's own.
    fileprivate func isEqual(to other: Span<UInt8>) -> Bool {
        if count != other.count { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
