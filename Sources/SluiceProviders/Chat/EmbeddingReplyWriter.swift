internal import SluiceCore
internal import SluiceJSON

/// Writes OpenAI's reply to an embeddings request (section 9 of the OpenAI sheet), one vector after the other.
struct EmbeddingReplyWriter {
    private var json: JSONWriter
    private let model: String
    private let asBase64: Bool
    private var index = 0
    /// No model has vectors of more numbers.
    private static let dimensionsMax = 65_536
    /// Vectors of OpenAI's have the length 1. What is farther from it was not meant to have it, and is brought there, so that the
    /// product of two vectors is their similarity, as applications expect.
    private static let tolerance = 0.01

    init(model: String, asBase64: Bool, into body: ByteBuffer) {
        json = JSONWriter(into: body)
        self.model = model
        self.asBase64 = asBase64
        json.beginObject()
        json.key("object")
        json.string("list")
        json.key("data")
        json.beginArray()
    }

    /// - Returns: false, with nothing usable written, if it is no vector.
    mutating func write(_ values: JSONValue) -> Bool {
        guard values.isArray, let scale = scale(values) else { return false }
        json.beginObject()
        json.key("object")
        json.string("embedding")
        json.key("index")
        json.int(index)
        json.key("embedding")
        if asBase64 {
            writeBase64(values, scale)
        } else if scale == 1 {
            json.value(values)
        } else {
            json.beginArray()
            var elements = values.elements
            while let value = elements.next() { json.double((value.double ?? 0) * scale) }
            json.endArray()
        }
        json.endObject()
        index += 1
        return true
    }

    /// What the numbers are to be multiplied with; `nil` if they are no numbers.
    private func scale(_ values: JSONValue) -> Double? {
        var sum = 0.0
        var count = 0
        var elements = values.elements
        while let value = elements.next() {
            guard let number = value.double, count < Self.dimensionsMax else { return nil }
            sum += number * number
            count += 1
        }
        let length = sum.squareRoot()
        if !length.isFinite || length == 0 || abs(length - 1) < Self.tolerance { return 1 }
        return 1 / length
    }

    /// Little-endian 32-bit floats.
    private mutating func writeBase64(_ values: JSONValue, _ scale: Double) {
        let bytes = ByteBuffer(capacity: 4096)
        var elements = values.elements
        while let value = elements.next() {
            var bits = Float((value.double ?? 0) * scale).bitPattern
            for _ in 0..<4 {
                bytes.append(UInt8(truncatingIfNeeded: bits))
                bits >>= 8
            }
        }
        json.string(Base64.encode(bytes.span))
    }

    mutating func end(_ usage: Usage) {
        json.endArray()
        json.key("model")
        json.string(model)
        json.key("usage")
        json.beginObject()
        json.key("prompt_tokens")
        json.int(usage.inputTokens)
        json.key("total_tokens")
        json.int(usage.totalTokens)
        json.endObject()
        json.endObject()
    }
}
