import Foundation
import SluiceCore
import SluiceJSON
import TestSupport
import Testing

@Suite struct `Random edits of random documents` {
    @Test func `give what the same edits of a tree give, and keep the bytes of what they do not touch`() throws {
        for seed in SplitMix64.seeds(1500) {
            var random = SplitMix64(seed)
            let hasUniqueKeys = seed % 3 != 0
            let text = Array(RandomJSON.document(using: &random, uniqueKeys: hasUniqueKeys).text.utf8)
            let tape = JSONTape()
            try tape.scan(text.span)
            let root = tape.root(over: text.span)
            let tree = Tree(root)
            var edits = JSONEdits()
            for _ in 0..<Int.random(in: 0...8, using: &random) { tree.editSomewhere(&edits, root, using: &random) }
            let splices = edits.splices(over: root)
            let result = ByteBuffer()
            splices.append(to: result, from: text.span)
            #expect(result.count == splices.byteCount)
            let resultTape = JSONTape()
            try resultTape.scan(result.span)
            #expect(Tree(resultTape.root(over: result.span)).compact == tree.compact, "seed \(seed)")
            var rest = Substring(result.text)
            for untouched in tree.untouched {
                let place = rest.range(of: untouched)
                #expect(place != nil, "seed \(seed): \(untouched)")
                rest = rest[(place?.upperBound ?? rest.startIndex)...]
            }
            if hasUniqueKeys {
                let expected = try Canonical.textByFoundation(Array(tree.compact.utf8))
                #expect(try Canonical.textByFoundation(Array(result.text.utf8)) == expected, "seed \(seed)")
            }
        }
    }

    @Test func `replacing values changes their bytes and no others`() throws {
        for seed in SplitMix64.seeds(500) {
            var random = SplitMix64(seed)
            let text = Array(RandomJSON.document(using: &random, uniqueKeys: false).text.utf8)
            let tape = JSONTape()
            try tape.scan(text.span)
            let root = tape.root(over: text.span)
            var scalars: [JSONNode] = []
            collectScalars(root, &scalars)
            var edits = JSONEdits()
            var expected = text
            let chosen = scalars.filter { _ in Bool.random(using: &random) }
            for node in chosen.shuffled(using: &random) {
                edits.replace(tape.value(node, over: text.span)) { $0.string("new" as StaticString) }
            }
            for node in chosen.reversed() {
                expected.replaceSubrange(tape.value(node, over: text.span).range, with: "\"new\"".utf8)
            }
            let result = ByteBuffer()
            edits.splices(over: root).append(to: result, from: text.span)
            #expect(result.text == String(decoding: expected, as: UTF8.self), "seed \(seed)")
        }
    }

    private func collectScalars(_ value: JSONValue, _ scalars: inout [JSONNode]) {
        var members = value.members
        while let member = members.next() { collectScalars(member.value, &scalars) }
        var elements = value.elements
        while let element = elements.next() { collectScalars(element, &scalars) }
        if !value.isObject && !value.isArray { scalars.append(value.node) }
    }
}

/// A document as a tree that is edited in the plainest way there is.
private final class Tree {
    private enum State { case kept, removed, replaced }
    private let kind: JSONKind
    private let raw: String
    private let node: JSONNode
    private var key = ""
    private var children: [Tree] = []
    private var prepended: [String] = []
    private var appended: [(key: String, text: String)] = []
    private var state = State.kept
    private var replacement = ""

    init(_ value: JSONValue) {
        kind = value.kind
        raw = String(decoding: value.rawBytes)
        node = value.node
        var members = value.members
        while let member = members.next() {
            let child = Tree(member.value)
            child.key = member.key.string ?? ""
            children.append(child)
        }
        var elements = value.elements
        while let element = elements.next() { children.append(Tree(element)) }
    }

    /// The edited document, without white space around its values: those that were not edited with the bytes they had.
    var compact: String {
        if state == .replaced { return replacement }
        let kept = children.filter { $0.state != .removed }
        switch kind {
        case .object:
            let members = kept.map { Self.quoted($0.key) + ":" + $0.compact }
            return "{" + (members + appended.map { Self.quoted($0.key) + ":" + $0.text }).joined(separator: ",") + "}"
        case .array:
            return "[" + (prepended + kept.map(\.compact) + appended.map(\.text)).joined(separator: ",") + "]"
        default: return raw
        }
    }

    /// The bytes of the values in which nothing is changed, in the order of the document.
    var untouched: [String] {
        if state != .kept { return [] }
        return isTouched ? children.flatMap(\.untouched) : [raw]
    }

    private var isTouched: Bool {
        state != .kept || !prepended.isEmpty || !appended.isEmpty || children.contains(where: \.isTouched)
    }

    private static func quoted(_ key: String) -> String {
        let buffer = ByteBuffer()
        var writer = JSONWriter(into: buffer)
        writer.string(key)
        return buffer.text
    }

    private var all: [Tree] { [self] + children.flatMap(\.all) }

    /// Makes one edit, here and in `edits`.
    func editSomewhere(_ edits: inout JSONEdits, _ root: JSONValue, using random: inout SplitMix64) {
        guard let tree = all.randomElement(using: &random) else { return }
        let number = Int.random(in: 0...99, using: &random)
        let text = "{\"new\":[\(number)]}"
        func write(_ writer: inout JSONWriter) { writer.raw(text.utf8Span.span) }
        let value = root.find(tree.node)!
        let choice = Int.random(in: 0..<4, using: &random)
        if choice == 0 {
            edits.replace(value, with: write)
            tree.state = .replaced
            tree.replacement = text
        } else if tree.kind == .object {
            tree.editMember(choice, text, &edits, value, using: &random)
        } else if tree.kind == .array {
            tree.editElement(choice, text, &edits, value, using: &random)
        }
    }

    private func editMember(
        _ choice: Int, _ text: String, _ edits: inout JSONEdits, _ object: JSONValue, using random: inout SplitMix64
    ) {
        let key = RandomJSON.key(Int.random(in: 0..<12, using: &random), using: &random)
        let same = children.filter { $0.key == key }
        if choice == 1 {
            edits.remove(key: key.utf8Span.span, from: object)
            for child in same { child.state = .removed }
            appended.removeAll { $0.key == key }
            return
        }
        edits.set(key: key.utf8Span.span, in: object) { $0.raw(text.utf8Span.span) }
        for child in same { child.state = .removed }
        if let last = same.last {
            last.state = .replaced
            last.replacement = text
        } else if let index = appended.firstIndex(where: { $0.key == key }) {
            appended[index].text = text
        } else {
            appended.append((key, text))
        }
    }

    private func editElement(
        _ choice: Int, _ text: String, _ edits: inout JSONEdits, _ array: JSONValue, using random: inout SplitMix64
    ) {
        switch choice {
        case 1:
            guard let child = children.randomElement(using: &random) else { return }
            edits.remove(array.find(child.node)!, from: array)
            child.state = .removed
        case 2:
            edits.prepend(to: array) { $0.raw(text.utf8Span.span) }
            prepended.append(text)
        default:
            edits.append(to: array) { $0.raw(text.utf8Span.span) }
            appended.append(("", text))
        }
    }
}

extension JSONValue {
    /// The value of that node in here.
    @_lifetime(copy self)
    fileprivate func find(_ node: JSONNode) -> JSONValue? {
        if self.node == node { return self }
        var members = members
        while let member = members.next() {
            if let found = member.value.find(node) { return found }
        }
        var elements = elements
        while let element = elements.next() {
            if let found = element.find(node) { return found }
        }
        return nil
    }
}
