import Testing

@testable import SluiceMock

@Suite struct `Instances of schemas` {
    @Test(arguments: [
        (#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#, #"{"city":"text"}"#),
        (#"{"type":"object","properties":{"prime":{"type":"boolean"}}}"#, #"{"prime":true}"#),
        (#"{"type":"integer","minimum":5}"#, "5"), (#"{"type":"integer","maximum":-3}"#, "-3"),
        (#"{"type":"integer","exclusiveMinimum":7}"#, "8"), (#"{"type":"integer","minimum":5,"multipleOf":4}"#, "8"),
        (#"{"type":"number","minimum":0,"maximum":1}"#, "0.5"),
        (#"{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":0.5}"#, "0.25"),
        (#"{"enum":["b","a"]}"#, #""b""#), (#"{"const":{"x":[1]}}"#, #"{"x":[1]}"#),
        (#"{"type":"string","default":"d"}"#, #""d""#),
        (#"{"type":"string","minLength":6}"#, #""textxx""#), (#"{"type":"string","maxLength":2}"#, #""te""#),
        (#"{"type":"string","format":"date"}"#, #""2026-01-02""#), (#"{"type":["string","null"]}"#, #""text""#),
        (#"{"type":"array","items":{"type":"integer"},"minItems":3}"#, "[1,1,1]"),
        (#"{"type":"array","items":{}}"#, #"["text"]"#),
        (#"{"type":"array","items":{"type":"null"},"maxItems":0}"#, "[]"),
        (#"{"prefixItems":[{"type":"null"},{"type":"boolean"}]}"#, "[null,true]"), (#"{"type":"null"}"#, "null"),
        ("{}", #""text""#),
        (#"{"anyOf":[{"type":"integer"},{"type":"null"}]}"#, "1"),
        (
            ##"{"$defs":{"a/b":{"type":"boolean"}},"type":"object","properties":{"x":{"$ref":"#/$defs/a~1b"}}}"##,
            #"{"x":true}"#
        ),
        (
            #"{"allOf":[{"properties":{"a":{"type":"null"}}},{"properties":{"a":{},"b":{"const":2}}}]}"#,
            #"{"a":null,"b":2}"#
        ),
        (#"{"type":"object","properties":{"quote\"d":{"type":"null"}}}"#, #"{"quote\"d":null}"#),
    ])
    func `the value fits the schema`(schema: String, value: String) throws {
        #expect(try Making.schemaInstance(schema) == value)
    }

    @Test(arguments: [
        ##"{"$ref":"#"}"##,
        ##"{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}},"required":["a","b"]}"##,
        ##"{"type":"array","items":{"$ref":"#"},"minItems":60}"##, ##"{"allOf":[{"$ref":"#"},{"$ref":"#"}]}"##,
        ##"{"anyOf":[{"$ref":"#"}]}"##,
        ##"{"type":"array","items":{"type":"array","items":{"type":"array","minItems":1000000,"items":{}},"minItems":60},"minItems":60}"##,
    ])
    func `a schema without an end has an instance with one`(schema: String) throws {
        let text = try Making.schemaInstance(schema)
        #expect(text.utf8.count < 200_000)
        _ = try JSONThing(text)
    }
}
