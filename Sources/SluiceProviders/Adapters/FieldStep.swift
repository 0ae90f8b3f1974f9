internal import SluiceConfig
internal import SluiceCore
internal import SluiceJSON

/// One thing that happens to a field of a request.
enum FieldStep: Sendable {
    case expand([ValueCase])
    case values([ValueCase])
    case clamp(RequestRules.Clamp)
    case pad(RequestRules.Pad)
    case wrap
    case move(FieldPath)
    /// It goes where the other is there too.
    case yield(to: [UInt8])
    case remove
}

/// What a value becomes.
struct ValueCase: Sendable {
    private let word: String
    /// `nil`: the field goes.
    let json: [UInt8]?
    /// For `expand`: the fields that take its place.
    let members: [(key: [UInt8], json: [UInt8])]

    init(_ member: ConfigMember) {
        word = member.key
        json = member.value.kind == .null ? nil : JSONBytes.of(member.value)
        if case .object(let fields) = member.value.kind {
            members = fields.map { (Array($0.key.utf8), JSONBytes.of($0.value)) }
        } else {
            members = []
        }
    }

    /// The case that fits; one for any other value is the last resort.
    static func find(_ value: JSONValue, in cases: [ValueCase]) -> ValueCase? {
        let word = value.isObject ? "object" : value.word
        return cases.first { $0.word == word } ?? cases.first { $0.word == "*" }
    }
}

/// What becomes of a field when all its steps were taken.
struct FieldOutcome {
    private enum State {
        case same
        case json([UInt8])
        case removed
    }

    private var state = State.same
    private var isLost = false
    private var change: String?
    private var place: FieldPath?
    private var members: [(key: [UInt8], json: [UInt8])] = []

    /// - Parameter value: as the application wrote it.
    mutating func take(_ step: FieldStep, _ value: JSONValue, _ root: JSONValue) {
        switch step {
        case .expand(let cases):
            guard let found = ValueCase.find(value, in: cases) else { return }
            members = found.members
            state = .removed
            isLost = false
        case .values(let cases):
            if !members.isEmpty { return }
            guard let found = ValueCase.find(value, in: cases) else { return }
            isLost = found.json == nil
            state = found.json.map(State.json) ?? .removed
            change = found.json.map { String(decoding: $0.span) }
        case .clamp(let clamp): self.clamp(clamp, value)
        case .pad(let pad):
            guard let text = value.string, text.utf8.count < pad.byteCountMin else { return }
            state = .json(JSONBytes.of(ConfigValue(.string(pad.prefix + text))))
        case .wrap:
            if value.isArray { return }
            if case .json(let json) = state { state = .json([UInt8(ascii: "[")] + json + [UInt8(ascii: "]")]) }
            if case .same = state { state = .json([UInt8(ascii: "[")] + value.rawBytes.bytes + [UInt8(ascii: "]")]) }
        case .move(let path): place = path
        case .yield(let other):
            guard let preferred = root[key: other.span], !preferred.isNull else { return }
            state = .removed
            isLost = false
        case .remove:
            if !members.isEmpty { return }
            if case .removed = state { return }
            state = .removed
            isLost = true
        }
    }

    private mutating func clamp(_ clamp: RequestRules.Clamp, _ value: JSONValue) {
        if case .removed = state { return }
        guard let number = value.double else { return }
        let nearest = min(max(number, clamp.min ?? -.infinity), clamp.max ?? .infinity)
        if nearest == number { return }
        if clamp.outside == .remove {
            state = .removed
            isLost = true
            return
        }
        let whole = Int(exactly: nearest)
        state = .json(JSONBytes.of(ConfigValue(whole.map { .integer($0) } ?? .number(nearest))))
        change = whole.map { "\($0)" } ?? "\(nearest)"
    }

    func write(
        _ key: [UInt8], _ value: JSONValue, _ root: JSONValue, _ edits: inout JSONEdits, _ report: inout FieldReport,
        _ written: inout [[UInt8]]
    ) {
        for member in members {
            edits.set(key: member.key.span, in: root) { $0.raw(member.json.span) }
            written.append(member.key)
        }
        if members.contains(where: { $0.key == key }) { return }
        let name = String(decoding: key.span)
        if case .removed = state {
            edits.remove(key: key.span, from: root)
            if isLost, !FieldReport.holdsAnyway(name, value) { report.lose(name) }
            return
        }
        if let change { report.adapt("\(name): \(change)") }
        var json: [UInt8]?
        if case .json(let text) = state { json = text }
        guard let place else {
            if let json { edits.set(key: key.span, in: root) { $0.raw(json.span) } }
            return
        }
        edits.remove(key: key.span, from: root)
        // Where both are there, the application has said it in the platform's own words.
        if place.value(in: root) != nil { return }
        place.set(json ?? value.rawBytes.bytes, in: root, &edits)
        written.append(place.keys[0])
    }
}

extension Span where Element == UInt8 {
    /// A copy.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in indices { bytes.append(self[index]) }
        return bytes
    }
}
