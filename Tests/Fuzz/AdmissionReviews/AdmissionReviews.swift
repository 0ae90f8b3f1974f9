import FuzzSupport
import SluiceCore
import SluiceHTTP
import SluiceInject
import SluiceJSON

/// What an API server asks of the injector. Its answer is an AdmissionReview for the same request; its patch can be
/// applied as RFC 6902 demands; and a pod that was patched is left as it is when it is looked at again.
func check(_ input: Input) {
    var input = input
    let scope: Injector.Scope = input.random.next() & 1 == 0 ? .namespace : .annotated
    guard let answer = look(input.bytes, scope) else { return }
    guard var review = Tree(input.bytes) else { fatalError("answered, and no JSON") }
    let reply = read(answer)
    expect(reply.uid == review["request"]?["uid"]?.text, "another uid")
    switch answer.decision.outcome {
    case .injected, .completed: expect(!reply.operations.isEmpty, "changed, and no patch")
    case .skipped, .denied: expect(reply.operations.isEmpty, "left alone, and a patch")
    }
    expect(reply.isAllowed == (answer.decision.outcome != .denied), "denied, or not")
    if reply.operations.isEmpty {
        return expect(answer.body.count < shortMax, "a long answer: \(answer.body.count)")
    }
    for operation in reply.operations {
        guard let kind = operation["op"]?.text, let path = operation["path"]?.text, let value = operation["value"] else {
            fatalError("no operation")
        }
        let isApplied = review.apply(kind, ["request", "object"] + names(path), value)
        expect(isApplied, "cannot be applied: \(kind) \(path)")
    }
    let text = ByteBuffer()
    var json = JSONWriter(into: text)
    review.write(to: &json)
    guard let again = look([UInt8](copying: text.span), scope) else { fatalError("patched, and refused") }
    let isLeftAlone = again.decision.outcome == .skipped && again.decision.reason == .alreadyInjected
    expect(isLeftAlone, "not the same twice: \(again.decision)")
}

/// Of an answer without a patch: a message, warnings, names.
private let shortMax = 32_768

private let injector: Injector = {
    var defaults = SidecarDefaults()
    defaults.image = "registry.example/sluice:1"
    return Injector(defaults)
}()

private func look(_ body: [UInt8], _ scope: Injector.Scope) -> Injector.Answer? {
    try? injector.answer(body.span, scope) { Secret("sk-sluice-0") }
}

private func read(_ answer: Injector.Answer) -> (uid: String?, isAllowed: Bool, operations: [Tree]) {
    let body = [UInt8](copying: answer.body.span)
    guard let response = Tree(body)?["response"] else { fatalError("the answer is no review") }
    var operations: [Tree] = []
    if let patch = response["patch"]?.text {
        guard let bytes = Base64.decode(patch.utf8Span.span), case .array(let all)? = Tree(bytes) else {
            fatalError("the patch is no list")
        }
        operations = all
    }
    return (response["uid"]?.text, response["allowed"] == .other(Array("true".utf8)), operations)
}

/// What a pointer (RFC 6901) goes through.
private func names(_ pointer: String) -> [String] {
    pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { name in
        var text = ""
        var isEscape = false
        for scalar in name.unicodeScalars {
            if isEscape {
                text.unicodeScalars.append(scalar == "0" ? "~" : "/")
                isEscape = false
            } else if scalar == "~" {
                isEscape = true
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
