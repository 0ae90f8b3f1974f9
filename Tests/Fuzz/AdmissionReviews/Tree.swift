import SluiceCore
import SluiceHTTP
import SluiceJSON

/// A JSON document that patches can be applied to. Of several members of one name the last one counts.
indirect enum Tree: Equatable {
    case object([String: Tree]), array([Tree]), text(String)
    case other([UInt8])

    /// `nil` for what is no JSON.
    init?(_ bytes: [UInt8]) {
        let tape = JSONTape()
        guard (try? tape.scan(bytes.span)) != nil else { return nil }
        self.init(tape.root(over: bytes.span))
    }

    private init(_ value: borrowing JSONValue) {
        if value.isObject {
            var all: [String: Tree] = [:]
            var members = value.members
            while let member = members.next() { all[member.key.string ?? ""] = Tree(member.value) }
            self = .object(all)
        } else if value.isArray {
            var all: [Tree] = []
            var elements = value.elements
            while let element = elements.next() { all.append(Tree(element)) }
            self = .array(all)
        } else if let text = value.string {
            self = .text(text)
        } else {
            self = .other([UInt8](copying: value.rawBytes))
        }
    }

    subscript(_ name: String) -> Tree? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    /// Does one operation of a patch (RFC 6902, §4.1 and §4.3).
    ///
    /// - Returns: false if there is no such place.
    mutating func apply(_ operation: String, _ path: [String], _ value: Tree) -> Bool {
        guard let name = path.first else { return false }
        let rest = Array(path.dropFirst())
        switch self {
        case .object(var members):
            if rest.isEmpty {
                if operation == "replace", members[name] == nil { return false }
                members[name] = value
            } else {
                guard var member = members[name], member.apply(operation, rest, value) else { return false }
                members[name] = member
            }
            self = .object(members)
        case .array(var elements):
            guard let index = name == "-" ? elements.count : Int(name), 0...elements.count ~= index
            else { return false }
            if rest.isEmpty, operation == "add" {
                elements.insert(value, at: index)
            } else {
                guard index < elements.count else { return false }
                if rest.isEmpty {
                    elements[index] = value
                } else if !elements[index].apply(operation, rest, value) {
                    return false
                }
            }
            self = .array(elements)
        case .text, .other: return false
        }
        return true
    }

    func write(to json: inout JSONWriter) {
        switch self {
        case .object(let members):
            json.object { json in
                for (name, member) in members {
                    json.key(name.utf8Span.span)
                    member.write(to: &json)
                }
            }
        case .array(let elements): json.array { json in for element in elements { element.write(to: &json) } }
        case .text(let text): json.string(text)
        case .other(let bytes): json.raw(bytes.span)
        }
    }
}
