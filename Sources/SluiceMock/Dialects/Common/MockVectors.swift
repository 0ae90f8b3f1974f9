internal import SluiceTLS

/// Embeddings that follow from their text alone; multiples of 1/64, which decimals say exactly.
enum MockVectors {
    static func vector(_ text: String, _ dimensions: Int) -> [Double] {
        var numbers: [Double] = []
        var block = 0
        while numbers.count < dimensions {
            let digest = SHA256.hash("\(block)\n\(text)".utf8Span.span)
            for index in 0..<32 where numbers.count < dimensions {
                numbers.append(Double(Int8(bitPattern: digest.span[index])) / 64)
            }
            block += 1
        }
        return numbers
    }

    static func json(_ text: String, _ dimensions: Int) -> MockJSON {
        .array(vector(text, dimensions).map { .double($0) })
    }

    /// `data` of an OpenAI-shaped list.
    static func list(_ texts: [String], _ dimensions: Int) -> MockJSON {
        .array(
            texts.enumerated().map { index, text in
                ["object": "embedding", "embedding": json(text, dimensions), "index": .int(index)]
            })
    }

    /// A string or an array of strings.
    static func inputs(_ value: MockJSON?) -> [String]? {
        guard let value else { return nil }
        if let text = value.text { return text.isEmpty ? nil : [text] }
        let texts = value.items.compactMap(\.text)
        return texts.isEmpty || texts.count != value.items.count || texts.contains("") ? nil : texts
    }
}
