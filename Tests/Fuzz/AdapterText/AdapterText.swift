import FuzzSupport
import SluiceConfig
import SluiceCore
import SluiceJSON
import SluiceProviders

/// An adapter's file, and what it makes of requests and replies.
func check(_ input: Input) {
    let environment = ConfigEnvironment.fixed(variables: ["NAME": "value"])
    guard let adapter = try? Adapter.read(text: input.bytes, environment: environment) else { return }
    let adaptation = Adaptation(adapter)
    for operation in Adapter.Operation.allCases where adaptation.has(operation) {
        let target = adaptation.target(operation, model: "a/../b c\r\n", rest: Array("/x?y=1".utf8).span)
        expect(target.allSatisfy { 0x21...0x7E ~= $0 }, "target \(String(decoding: target.span))")
    }
    _ = adaptation.capabilities.row(for: "m-1")
    for request in requests { apply(adaptation, to: ByteBuffer(copying: request.span)) }
}

private func apply(_ adaptation: Adaptation, to request: ByteBuffer) {
    let tape = JSONTape()
    do { try tape.scan(request.span) } catch { fatalError("\(error)") }
    let root = tape.root(over: request.span)
    var edits = JSONEdits()
    var report = FieldReport()
    adaptation.request.apply(to: root, model: "m-1", operation: .chat, isStream: false, &edits, &report)
    let body = ByteBuffer()
    edits.splices(over: root).append(to: body, from: request.span)
    do { try JSONTape().scan(body.span) } catch {
        if error.kind != .tooDeep { fatalError("no JSON: \(error): \(body.text)") }
    }
    _ = adaptation.errors.inBand(root)
}

private let requests = [
    #"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"t"}]}],"n":1,"seed":2,"stop":["a"],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"response_format":{"type":"json_object"},"reasoning_effort":"low","stream_options":{"include_usage":true}}"#,
    #"{"error":{"code":1,"message":"x","type":"y"},"code":0,"messages":[]}"#, "{}",
].map { Array($0.utf8) }
