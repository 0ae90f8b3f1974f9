import Foundation
import SluiceConfig
import SluiceProviders
import Testing

/// Each rule of an adapter's `request`, alone and with others.
@Suite struct `What adapters change in requests` {
    static func send(_ rules: String, _ request: String, model: String = "m", operation: Adapter.Operation = .chat)
        throws -> AdapterBench.Sent
    {
        let text = "{name: 'x', title: 'X', request: \(rules)}"
        return try AdapterBench(try Adapter.read(text: Array(text.utf8), environment: .fixed()), model: model)
            .send(request, operation: operation)
    }

    @Test(arguments: [
        ("{rename: {a: 'b'}}", #"{"a":1,"c":2}"#, #"{"c":2,"b":1}"#),
        ("{rename: {a: 'b'}}", #"{"a":1,"b":2}"#, #"{"b":2}"#),
        ("{move: {a: 'x.y'}}", #"{"a":1,"x":{"z":2}}"#, #"{"x":{"z":2,"y":1}}"#),
        ("{move: {a: 'x.y.z'}}", #"{"a":1}"#, #"{"x":{"y":{"z":1}}}"#),
        ("{values: {a: {one: 1, '*': null}}}", #"{"a":"one"}"#, #"{"a":1}"#),
        ("{values: {a: {one: 1, '*': null}}}", #"{"a":"two"}"#, #"{}"#),
        ("{values: {a: {object: 'o'}}}", #"{"a":{"x":1}}"#, #"{"a":"o"}"#),
        ("{expand: {a: {no: {b: {t: 'x'}}}}}", #"{"a":"no"}"#, #"{"b":{"t":"x"}}"#),
        ("{expand: {a: {no: {b: 1}}}}", #"{"a":"yes"}"#, #"{"a":"yes"}"#),
        ("{wrap: ['a']}", #"{"a":"x"}"#, #"{"a":["x"]}"#), ("{wrap: ['a']}", #"{"a":["x"]}"#, #"{"a":["x"]}"#),
        ("{clamp: {a: {min: 1, max: 2}}}", #"{"a":3}"#, #"{"a":2}"#),
        ("{clamp: {a: {min: 1}}}", #"{"a":0}"#, #"{"a":1}"#),
        ("{clamp: {a: {min: 1, outside: 'remove'}}}", #"{"a":0}"#, #"{}"#),
        ("{clamp: {a: {max: 1}}}", #"{"a":"text"}"#, #"{"a":"text"}"#),
        ("{pad: {a: {bytes_min: 4, prefix: 'u-'}}}", #"{"a":"b"}"#, #"{"a":"u-b"}"#),
        ("{prefer: {a: 'b'}}", #"{"a":1,"b":2}"#, #"{"a":1}"#), ("{prefer: {a: 'b'}}", #"{"b":2}"#, #"{"b":2}"#),
        ("{remove: ['a', 'b']}", #"{"a":1,"b":2,"c":3}"#, #"{"c":3}"#),
        ("{defaults: {'a.b': 1}}", #"{"a":{"c":2}}"#, #"{"a":{"c":2,"b":1}}"#),
        ("{defaults: {a: 1}}", #"{"a":2}"#, #"{"a":2}"#),
        ("{set: {a: {b: [1, null]}}}", #"{"a":2}"#, #"{"a":{"b":[1,null]}}"#),
        ("{append: {t: [{n: 1}]}}", #"{"t":[0]}"#, #"{"t":[0,{"n":1}]}"#),
        ("{append: {t: [{n: 1}]}}", #"{}"#, #"{"t":[{"n":1}]}"#),
        (
            "{roles: {developer: 'system'}}", #"{"messages":[{"role":"developer"},{"role":"user"}]}"#,
            #"{"messages":[{"role":"system"},{"role":"user"}]}"#
        ),
        (
            "{message_remove: ['user.name', 'x']}",
            #"{"messages":[{"role":"user","name":"n","x":1},{"role":"tool","name":"n"}]}"#,
            #"{"messages":[{"role":"user"},{"role":"tool","name":"n"}]}"#
        ),
        (
            "{nulls: 'remove'}", #"{"a":null,"messages":[{"content":null,"function_call":null}]}"#,
            #"{"messages":[{"content":null}]}"#
        ),
        ("[{clamp: {a: {max: 1}}}, {models: ['n*'], remove: ['a']}]", #"{"a":3}"#, #"{"a":1}"#),
        ("[{clamp: {a: {max: 1}}}, {models: ['m*'], remove: ['a']}]", #"{"a":3}"#, #"{}"#),
        (
            "[{when: {stream: true}, remove: ['a']}, {when: {has: ['b'], lacks: ['c']}, set: {d: 1}}]",
            #"{"a":1,"b":2}"#, #"{"a":1,"b":2,"d":1}"#
        ),
        ("{operations: ['embeddings'], remove: ['a']}", #"{"a":1}"#, #"{"a":1}"#),
    ])
    func `come out as they say`(rules: String, request: String, wanted: String) throws {
        let sent = try Self.send(rules, request)
        #expect(Canonical.equal(sent.body, wanted), "\(sent.body)")
    }

    @Test func `leave every other byte alone`() throws {
        let request = "{ \"z\" : 1.50 ,\n \"a\":1, \"new\": {\"x\" : [ 1 ,2 ]} }"
        #expect(try Self.send("{remove: ['a']}", request).body == "{ \"z\" : 1.50, \"new\": {\"x\" : [ 1 ,2 ]} }")
        #expect(try Self.send("{remove: ['b'], rename: {c: 'd'}}", request).body == request)
    }

    @Test func `give ids of nine characters, the same for a call and its result`() throws {
        let sent = try Self.send(
            "{tool_call_ids: 'alphanumeric9'}",
            #"{"messages":[{"tool_calls":[{"id":"call_12345678901234"},{"id":"abcDEF123"}]},{"tool_call_id":"call_12345678901234"},{"tool_call_id":"abcDEF123"}]}"#
        )
        let messages = (Canonical.parse(sent.body) as? [String: Any])?["messages"] as? [[String: Any]] ?? []
        let ids = (messages.first?["tool_calls"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
        #expect(ids.count == 2 && ids[0].count == 9 && ids[1] == "abcDEF123")
        #expect(
            messages[1]["tool_call_id"] as? String == ids[0] && messages[2]["tool_call_id"] as? String == "abcDEF123")
    }

    @Test func `report what is lost, and not what holds anyway`() throws {
        let sent = try Self.send(
            "{remove: ['n', 'user', 'store', 'stream_options', 'logprobs', 'tools'], clamp: {temperature: {max: 1}}}",
            #"{"n":1,"user":"u","store":false,"stream_options":{},"logprobs":true,"tools":[],"temperature":1.5}"#)
        #expect(sent.report.lost == ["user", "logprobs"] && sent.report.adapted == ["temperature: 1"])
    }

    @Test func `are shown in one line of visible characters, whatever the application called its fields`() {
        var report = FieldReport()
        report.lose("a\r\nset-cookie: x" + String(repeating: "é", count: 200))
        #expect(report.lost[0].utf8.allSatisfy { 0x20...0x7E ~= $0 } && report.lost[0].utf8.count <= 128)
    }
}
