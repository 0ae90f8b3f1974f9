internal import SluiceConfig
internal import SluiceCore

/// Reads a pod's annotations, and gathers what is wrong with them.
struct AnnotationReader {
    private let annotations: [String: String]
    private(set) var mistakes: [String] = []
    private static let valueLengthMax = 60
    /// Annotations have 256 KB at most together, which the API server looks at after it has asked us.
    private static let listByteCountMax = 64 << 10
    private static let listCountMax = 256

    init(_ annotations: [String: String]) { self.annotations = annotations }

    func text(_ annotation: PodAnnotation) -> String? { annotations[annotation.name] }

    /// The value that `parse` understands; a mistake and `nil` for one that it does not.
    mutating func value<Value>(_ annotation: PodAnnotation, _ parse: (String) -> Value?) -> Value? {
        guard let text = text(annotation) else { return nil }
        if let value = parse(text) { return value }
        mistakes.append("\(annotation.name): \(annotation.allowed), found \(Self.shown(text))")
        return nil
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ annotation: PodAnnotation, of type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        value(annotation) { Choice(rawValue: $0) }
    }

    mutating func word(_ annotation: PodAnnotation, of words: [String]) -> String? {
        value(annotation) { words.contains($0) ? $0 : nil }
    }

    mutating func flag(_ annotation: PodAnnotation) -> Bool? {
        value(annotation) { ["enabled": true, "true": true, "disabled": false, "false": false][$0] }
    }

    mutating func integer(_ annotation: PodAnnotation, in range: ClosedRange<Int>) -> Int? {
        value(annotation) { text in
            text.utf8.count <= 6 ? Int(text).flatMap { range.contains($0) && "\($0)" == text ? $0 : nil } : nil
        }
    }

    /// What stands between commas, of which there is at least one that is not empty.
    mutating func list(_ annotation: PodAnnotation, _ isAllowed: (String) -> Bool) -> [String]? {
        value(annotation) { text in
            guard text.utf8.count <= Self.listByteCountMax else { return nil }
            let elements = text.split(separator: ",").map { String($0.trimmed) }.filter { !$0.isEmpty }
            return 1...Self.listCountMax ~= elements.count && elements.allSatisfy(isAllowed) ? elements : nil
        }
    }

    mutating func refuse(_ mistake: String) { mistakes.append(mistake) }

    /// Names under our prefix that mean nothing: a mistyped one must not go unseen.
    var unknown: [String] {
        let known = PodAnnotation.allCases.map(\.name)
        return annotations.keys.filter { $0.hasPrefix(PodAnnotation.prefix) && !known.contains($0) }.sorted().prefix(8).map {
            let question = Suggestion.nearest(to: $0, among: known).map { ", did you mean \($0)?" } ?? ""
            return "annotation \(Self.shown($0)) means nothing\(question)"
        }
    }

    /// The beginning of what somebody has written, for a message: of what is long, no more is looked at.
    static func shown(_ text: String) -> String {
        let start = text.unicodeScalars.prefix(valueLengthMax + 1)
        let printable = start.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }
        return "\"" + printable.prefix(valueLengthMax).joined() + (printable.count > valueLengthMax ? "…" : "") + "\""
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = self
        while let first = rest.first, first == " " || first == "\t" || first == "\n" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" || last == "\n" { rest.removeLast() }
        return rest
    }
}

/// What names may be in Kubernetes.
package enum ObjectName {
    /// A DNS subdomain (RFC 1123), as most objects are named.
    package static func isSubdomain(_ text: String) -> Bool {
        1...253 ~= text.utf8.count && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
    }

    /// A DNS label: containers, namespaces, volumes.
    package static func isLabel(_ text: some StringProtocol) -> Bool {
        guard 1...63 ~= text.utf8.count else { return false }
        let bytes = Array(text.utf8)
        return isAlphanumeric(bytes[0]) && isAlphanumeric(bytes[bytes.count - 1])
            && bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    /// The key of a ConfigMap.
    static func isKey(_ text: some StringProtocol) -> Bool {
        1...253 ~= text.utf8.count && text != "." && text != ".."
            && text.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "-_.".utf8.contains($0) }
    }

    /// What may stand in the name of an image, registry, tag and digest included.
    package static func isImage(_ text: String) -> Bool {
        guard 1...512 ~= text.utf8.count, let first = text.utf8.first, let last = text.utf8.last else { return false }
        return (first.isASCIILetter || first.isDecimalDigit) && (last.isASCIILetter || last.isDecimalDigit)
            && text.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "._/:@-+".utf8.contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        byte.isDecimalDigit || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
    }
}
