import SluiceCore

/// Random documents, with random white space, spelling of numbers and escapes.
enum RandomJSON {
    struct Document { let text: String }

    static func document(using random: inout SplitMix64, depth: Int = 4, uniqueKeys: Bool = true) -> Document {
        var text = ""
        write(depth: depth, uniqueKeys: uniqueKeys, to: &text, using: &random)
        return Document(text: space(&random) + text + space(&random))
    }

    /// Changes up to three places of a text.
    static func mutate(_ text: inout [UInt8], using random: inout SplitMix64) {
        let pieces = [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "1", "-", ".", "e", "t", "null", " ", "\n", "\\u", "\u{1}",
            "é",
        ]
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let at = Int.random(in: 0...text.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").utf8, at: at)
            case 1 where at < text.count: text.remove(at: at)
            case 2 where at < text.count: text[at] = UInt8.random(in: 1...0xFF, using: &random)
            default: text.removeLast(min(text.count, Int.random(in: 0...2, using: &random)))
            }
        }
    }

    static func key(_ index: Int, using random: inout SplitMix64) -> String {
        let names = ["model", "messages", "role", "content", "a", "b", "c", "temperature", "", "é\"\\\n"]
        return names[index % names.count] + (index < names.count ? "" : "\(index)")
    }

    private static func write(
        depth: Int, uniqueKeys: Bool, to text: inout String, using random: inout SplitMix64
    ) {
        let choice = Int.random(in: 0..<(depth > 0 ? 10 : 5), using: &random)
        switch choice {
        case 0: text += string(using: &random)
        case 1: text += number(using: &random)
        case 2: text += ["true", "false", "null"].randomElement(using: &random) ?? "null"
        case 3: text += ["{}", "[]", "{ }", "[\n]"].randomElement(using: &random) ?? "{}"
        case 4: text += "\(Int.random(in: -1000...1000, using: &random))"
        default:
            let isObject = choice > 6
            let count = Int.random(in: 0...5, using: &random)
            text += (isObject ? "{" : "[") + space(&random)
            for index in 0..<count {
                if index > 0 { text += space(&random) + "," + space(&random) }
                if isObject {
                    let number =
                        uniqueKeys
                        ? index * 3 + Int.random(in: 0..<3, using: &random) : Int.random(in: 0..<5, using: &random)
                    text += quoted(key(number, using: &random), using: &random) + space(&random) + ":" + space(&random)
                }
                write(depth: depth - 1, uniqueKeys: uniqueKeys, to: &text, using: &random)
            }
            text += space(&random) + (isObject ? "}" : "]")
        }
    }

    private static func number(using random: inout SplitMix64) -> String {
        let samples = [
            "0", "-0", "-0.0", "1.0", "1e2", "1E+2", "12e-1", "0.1", "3.141592653589793", "1e-7", "9007199254740993",
            "-1.5e300", "2.2250738585072014e-308", "9223372036854775807", "-9223372036854775808",
        ]
        return samples.randomElement(using: &random) ?? "0"
    }

    static func string(using random: inout SplitMix64) -> String {
        let characters = Array("abc xyz\"\\/\n\t\u{8}\u{C}\u{1F}\u{7F}é中文😀\u{2028}\u{10FFFF}")
        let length = Int.random(in: 0...40, using: &random)
        let text = String((0..<length).map { _ in characters.randomElement(using: &random) ?? "a" })
        return quoted(text, using: &random)
    }

    /// The text in quotation marks, with the escapes it needs and some that it does not.
    static func quoted(_ text: String, using random: inout SplitMix64) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            if !mustEscape && Int.random(in: 0..<8, using: &random) > 0 {
                quoted.unicodeScalars.append(scalar)
            } else if scalar == "\n" && Bool.random(using: &random) {
                quoted += "\\n"
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &random))
                    quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return quoted + "\""
    }

    private static func space(_ random: inout SplitMix64) -> String {
        ["", "", "", " ", "\n  ", "\t", "\r\n", "            "].randomElement(using: &random) ?? ""
    }
}
