internal import SluiceCore
internal import SluiceJSON

/// A JSON document that a dialect reads or writes: owned, ordered, written as a literal.
indirect enum MockJSON: Sendable, Equatable {
    struct Member: Sendable, Equatable {
        let name: String
        let value: MockJSON
    }

    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([MockJSON])
    case object([Member])
    /// JSON text as it is.
    case raw([UInt8])
    /// A member that is left out.
    case absent
}

// MARK: - Reading

extension MockJSON {
    init(_ value: JSONValue) {
        if value.isObject {
            var list: [Member] = []
            var members = value.members
            while let member = members.next() {
                list.append(Member(name: member.key.string ?? "", value: MockJSON(member.value)))
            }
            self = .object(list)
        } else if value.isArray {
            var list: [MockJSON] = []
            var elements = value.elements
            while let element = elements.next() { list.append(MockJSON(element)) }
            self = .array(list)
        } else if value.isString {
            self = .string(value.string ?? "")
        } else if let bool = value.bool {
            self = .bool(bool)
        } else if let int = value.int {
            self = .int(int)
        } else if let double = value.double {
            self = .double(double)
        } else {
            self = .null
        }
    }

    /// - Returns: `nil` for what is no JSON.
    init?(parsing text: Span<UInt8>) {
        let tape = JSONTape()
        guard (try? tape.scan(text)) != nil else { return nil }
        self.init(tape.root(over: text))
    }

    /// A member that is there and not null.
    subscript(_ name: String) -> MockJSON? {
        guard case .object(let members) = self, let value = members.first(where: { $0.name == name })?.value,
            value != .null
        else { return nil }
        return value
    }

    /// The first of two spellings.
    subscript(_ name: String, _ other: String) -> MockJSON? { self[name] ?? self[other] }

    /// Whether a member is there, null or not.
    func has(_ name: String) -> Bool { members.contains { $0.name == name } }

    var members: [Member] { if case .object(let members) = self { members } else { [] } }
    var items: [MockJSON] { if case .array(let items) = self { items } else { [] } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    var isObject: Bool { if case .object = self { true } else { false } }
    var isArray: Bool { if case .array = self { true } else { false } }
    var whole: Int? { if case .int(let number) = self { number } else { nil } }
    var number: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }
}

// MARK: - Writing

extension MockJSON {
    var bytes: [UInt8] {
        let buffer = ByteBuffer(capacity: 256)
        write(to: buffer)
        return Array(copying: buffer.span)
    }

    var jsonText: String { String(decoding: bytes, as: UTF8.self) }

    func write(to buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        write(&json)
    }

    func write(_ json: inout JSONWriter) {
        switch self {
        case .null, .absent: json.null()
        case .bool(let value): json.bool(value)
        case .int(let number): json.int(number)
        case .double(let number): json.double(number)
        case .string(let text): json.string(text)
        case .raw(let text): json.raw(text.span)
        case .array(let items): json.array { json in for item in items { item.write(&json) } }
        case .object(let members):
            json.object { json in
                for member in members where member.value != .absent {
                    json.key(member.name.utf8Span.span)
                    member.value.write(&json)
                }
            }
        }
    }

    /// The object with a member more, or with another value of one that it has.
    func with(_ name: String, _ value: MockJSON) -> MockJSON {
        var list = members
        if let index = list.firstIndex(where: { $0.name == name }) {
            list[index] = Member(name: name, value: value)
        } else {
            list.append(Member(name: name, value: value))
        }
        return .object(list)
    }

    /// `.absent` for none.
    static func optional(_ text: String?) -> MockJSON { text.map { .string($0) } ?? .absent }
    static func optional(_ number: Int?) -> MockJSON { number.map { .int($0) } ?? .absent }
}

extension MockJSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .int(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(floatLiteral value: Double) { self = .double(value) }
    init(nilLiteral: ()) { self = .null }
    init(arrayLiteral elements: MockJSON...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, MockJSON)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
}
