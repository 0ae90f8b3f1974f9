/// Configuration as canonical JSON: one spelling for each value, keys in their order, two spaces a level.
extension ConfigValue {
    package func json() -> String {
        var text = ""
        write(into: &text, indentation: 0)
        return text
    }

    private func write(into text: inout String, indentation: Int) {
        switch kind {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += String(value)
        case .string(let value): text += Self.quoted(value)
        case .list(let elements):
            Self.write(elements, "[", "]", into: &text, indentation) { element, text in
                element.write(into: &text, indentation: indentation + 1)
            }
        case .object(let members):
            Self.write(members, "{", "}", into: &text, indentation) { member, text in
                text += Self.quoted(member.key) + ": "
                member.value.write(into: &text, indentation: indentation + 1)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item], _ open: String, _ close: String, into text: inout String, _ indentation: Int,
        _ write: (Item, inout String) -> Void
    ) {
        text += open
        for (index, item) in items.enumerated() {
            text += index == 0 ? "\n" : ",\n"
            text += String(repeating: "  ", count: indentation + 1)
            write(item, &text)
        }
        if !items.isEmpty { text += "\n" + String(repeating: "  ", count: indentation) }
        text += close
    }

    /// A JSON string (RFC 8259 §7). The two separators that JavaScript ends lines at are escaped as well.
    package static func quoted(_ value: String) -> String {
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\0"..<" ", "\u{7F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
