internal import SluiceCore
internal import SluiceJSON

/// `POST /v1/moderations`: text is flagged where it says `[flag]`, so that a test decides.
enum ModerationReply {
    private static let categories: [StaticString] = [
        "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
        "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
    ]
    private static let flag = Array("[flag]".utf8)
    private static let inputsMax = 2048

    static func reply(_ root: JSONValue, _ identity: ReplyIdentity) throws(APIError) -> Reply {
        let verdicts = try verdicts(root)
        return Reply(capacity: verdicts.count * 1200 + 128) { json in
            json.object { json in
                json.member("id", "modr-\(identity.hex)")
                json.member("model", identity.model)
                json.key("results")
                json.array { json in for verdict in verdicts { write(verdict, &json) } }
            }
        }
    }

    /// One an input; an array of parts is one input.
    private static func verdicts(_ root: JSONValue) throws(APIError) -> [Bool] {
        guard let input = root.given("input") else { throw .missing("input") }
        if input.isString { return [isFlagged(ContentText.bytes(input))] }
        guard input.isArray else { throw .invalidType("input", expected: "a string or an array") }
        guard let first = input[0] else { throw .emptyArray("input") }
        if first.isObject { return [isFlagged(ContentText.bytes(input))] }
        var verdicts: [Bool] = []
        var elements = input.elements
        while let element = elements.next() {
            if verdicts.count == inputsMax { throw .invalidValue("input", "at most \(inputsMax) inputs") }
            verdicts.append(isFlagged(ContentText.bytes(element)))
        }
        return verdicts
    }

    private static func isFlagged(_ text: [UInt8]) -> Bool {
        if text.count < flag.count { return false }
        return (0...text.count - flag.count).contains {
            text[$0] == flag[0] && text[$0..<$0 + flag.count].elementsEqual(flag)
        }
    }

    private static func write(_ isFlagged: Bool, _ json: inout JSONWriter) {
        func isHit(_ index: Int) -> Bool { isFlagged && index == 0 }
        json.object { json in
            json.member("flagged", isFlagged)
            json.key("categories")
            json.object { json in for (index, name) in categories.enumerated() { json.member(name, isHit(index)) } }
            json.key("category_scores")
            json.object { json in
                for (index, name) in categories.enumerated() {
                    json.key(name)
                    json.double(isHit(index) ? 0.98 : 0.0001)
                }
            }
            json.key("category_applied_input_types")
            json.object { json in
                for name in categories {
                    json.key(name)
                    json.array { $0.string("text" as StaticString) }
                }
            }
        }
    }
}
