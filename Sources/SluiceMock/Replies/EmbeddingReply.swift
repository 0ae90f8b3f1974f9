internal import SluiceCore
internal import SluiceJSON
internal import SluiceTLS

/// `POST /v1/embeddings`. A vector follows from its input alone; its numbers are multiples of 1/64, so that both
/// spellings are exact.
enum EmbeddingReply {
    private static let dimensionsByDefault = 1536
    private static let dimensionsMax = 4096
    private static let inputsMax = 2048

    static func reply(_ root: JSONValue, _ identity: ReplyIdentity, _ behaviour: Behaviour) throws(APIError) -> Reply {
        let inputs = try inputs(root)
        let dimensions = try root.int("dimensions", in: 1...dimensionsMax) ?? dimensionsByDefault
        let format = try root.text("encoding_format") ?? "float"
        if format != "float", format != "base64" {
            throw .invalidValue("encoding_format", "supported values are: 'float' and 'base64'")
        }
        let tokens = behaviour.usage.prompt ?? inputs.reduce(0) { $0 + Tokens.estimate(byteCount: $1.count) }
        return Reply(capacity: inputs.count * dimensions * 8 + 256) { json in
            json.object { json in
                json.member("object", "list")
                json.key("data")
                json.array { json in
                    for (index, input) in inputs.enumerated() {
                        write(vector(of: input, dimensions), index, isBase64: format == "base64", &json)
                    }
                }
                json.member("model", identity.model)
                if behaviour.usage.isOmitted { return }
                json.key("usage")
                json.object { json in
                    json.member("prompt_tokens", tokens)
                    json.member("total_tokens", tokens)
                }
            }
        }
    }

    /// One run of bytes an input; what they mean does not matter.
    private static func inputs(_ root: JSONValue) throws(APIError) -> [[UInt8]] {
        guard let input = root.given("input") else { throw .missing("input") }
        if input.isString { return [try checked(ContentText.bytes(input))] }
        guard input.isArray else { throw .invalidType("input", expected: "a string or an array") }
        if input.count == 0 { throw .emptyArray("input") }
        if input[0]?.int != nil { return [Array(copying: input.rawBytes)] }
        var inputs: [[UInt8]] = []
        var elements = input.elements
        while let element = elements.next() {
            if inputs.count == inputsMax { throw .invalidValue("input", "at most \(inputsMax) inputs") }
            inputs.append(try checked(element.isString ? ContentText.bytes(element) : Array(copying: element.rawBytes)))
        }
        return inputs
    }

    private static func checked(_ input: [UInt8]) throws(APIError) -> [UInt8] {
        if input.isEmpty { throw .invalidValue("input", "input cannot be an empty string") }
        return input
    }

    static func vector(of input: [UInt8], _ dimensions: Int) -> [Float] {
        var seed: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
        for byte in input { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var random = SplitMix64(seed)
        return (0..<dimensions).map { _ in Float(Int(truncatingIfNeeded: random.next() >> 57) - 64) / 64 }
    }

    static func write(_ vector: [Float], _ index: Int, isBase64: Bool, _ json: inout JSONWriter) {
        json.object { json in
            json.member("object", "embedding")
            json.member("index", index)
            json.key("embedding")
            if isBase64 {
                json.string(Base64.encode(littleEndian(vector).span))
            } else {
                json.array { json in for value in vector { json.double(Double(value)) } }
            }
        }
    }

    private static func littleEndian(_ vector: [Float]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(vector.count * 4)
        for value in vector {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
            }
        }
        return bytes
    }
}
