import FuzzSupport
import SluiceCore
import SluiceJSON

/// A document scanned, read in every way, edited at random and scanned again.
func check(_ input: Input) {
    var random = input.random
    let tape = JSONTape()
    guard (try? tape.scan(input.bytes.span)) != nil else { return }
    let root = tape.root(over: input.bytes.span)
    expect(root.range.upperBound <= input.bytes.count, "a value beyond the text")
    let buffer = ByteBuffer()
    var writer = JSONWriter(into: buffer)
    copy(root, to: &writer)
    expect(writer.isComplete, "a copy that does not end")
    let copied = JSONTape()
    expect((try? copied.scan(buffer.span)) != nil, "what was written is no JSON")
    expect(same(root, copied.root(over: buffer.span)), "the copy says something else")

    var edits = JSONEdits()
    edit(root, &edits, &random, depth: 0)
    let splices = edits.splices(over: root)
    let result = ByteBuffer()
    splices.append(to: result, from: input.bytes.span)
    expect(result.count == splices.byteCount, "\(result.count) bytes, \(splices.byteCount) announced")
    expect((try? JSONTape().scan(result.span)) != nil, "what edits gave is no JSON")
}

/// Writes a value anew, strings by way of their text.
private func copy(_ value: JSONValue, to writer: inout JSONWriter) {
    switch value.kind {
    case .object:
        writer.beginObject()
        var members = value.members
        while let member = members.next() {
            guard let key = member.key.unescapedBytes else {
                let text = ByteBuffer()
                expect(member.key.appendString(to: text), "a key that is no string")
                writer.key(text.span)
                copy(member.value, to: &writer)
                continue
            }
            writer.key(key)
            copy(member.value, to: &writer)
        }
        writer.endObject()
    case .array:
        writer.beginArray()
        var elements = value.elements
        var count = 0
        while let element = elements.next() {
            copy(element, to: &writer)
            count += 1
        }
        expect(count == value.count, "\(count) elements, \(value.count) counted")
        writer.endArray()
    case .string:
        let text = ByteBuffer()
        expect(value.appendString(to: text), "a string without text")
        writer.string(text.span)
    default:
        _ = value.int
        _ = value.double
        writer.value(value)
    }
}

private func same(_ a: JSONValue, _ b: JSONValue) -> Bool {
    guard a.kind == b.kind else { return false }
    switch a.kind {
    case .object:
        var (left, right) = (a.members, b.members)
        while let member = left.next() {
            guard let other = right.next(), member.key.string == other.key.string, same(member.value, other.value)
            else {
                return false
            }
        }
        return right.next() == nil
    case .array:
        var (left, right) = (a.elements, b.elements)
        while let element = left.next() {
            guard let other = right.next(), same(element, other) else { return false }
        }
        return right.next() == nil
    case .string: return a.string == b.string
    default: return a.int == b.int && a.double == b.double && a.bool == b.bool
    }
}

private func edit(_ value: JSONValue, _ edits: inout JSONEdits, _ random: inout SplitMix64, depth: Int) {
    switch value.kind {
    case .object:
        if random.next() % 3 == 0 { edits.set("fuzz", in: value) { $0.int(1) } }
        if random.next() % 3 == 0 { edits.set("model", in: value) { $0.string("another" as StaticString) } }
        if random.next() % 3 == 0 { edits.remove("usage", from: value) }
        var members = value.members
        while let member = members.next() {
            switch random.next() % 6 {
            case 0: edits.remove(member)
            case 1: edits.replace(member.value) { $0.null() }
            default: edit(member.value, &edits, &random, depth: depth + 1)
            }
        }
    case .array:
        if random.next() % 3 == 0 { edits.append(to: value) { $0.string("last" as StaticString) } }
        if random.next() % 3 == 0 { edits.prepend(to: value) { $0.object { _ in } } }
        var elements = value.elements
        while let element = elements.next() {
            switch random.next() % 6 {
            case 0: edits.remove(element, from: value)
            case 1: edits.replace(element) { $0.bool(true) }
            default: edit(element, &edits, &random, depth: depth + 1)
            }
        }
    default:
        if depth > 0, random.next() % 4 == 0 { edits.replace(value) { $0.double(0.5) } }
    }
}
