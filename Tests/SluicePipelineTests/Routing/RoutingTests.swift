internal import SluiceHTTP
import SluiceJSON
import SluiceNet
import SluiceProviders
import TestSupport
import Testing

@testable import SluicePipeline

@Suite struct `Choosing a target` {
    private static let a = FakeExchange.provider("a", models: ["m-a", "both"], prefixes: ["a-"])
    private static let b = FakeExchange.provider("b", models: ["m-b", "both"])

    private static func choose(
        _ model: String, _ snapshot: ConfigSnapshot, _ directory: ModelDirectory = ModelDirectory()
    ) throws -> String {
        let context = FakeExchange(try EventLoop(), snapshot: snapshot).context
        context.model = model
        let routing = Routing(directory: directory, seed: 1)
        switch try routing.plan(context, IncomingRequest(body: .none), tape: JSONTape()) {
        case .echo: return "echo"
        case .targets: return context.plan.current.map { "\($0.provider.name) \($0.upstreamModel)" } ?? "nobody"
        }
    }

    @Test(arguments: [
        ("m-a", "a m-a"), ("m-b", "b m-b"), ("both", "a both"), ("a-anything", "a a-anything"), ("a/m-b", "a m-b"),
        ("b/x/y", "b x/y"),
        ("b/", "b "), ("echo", "echo"), ("b/echo", "b echo"), ("named", "b other"), ("a/named", "a named"),
        ("listed", "b listed"),
        ("c/m", "a c/m"), ("", "a "), ("nobody's", "a nobody's"),
    ])
    func `a model has one target`(model: String, target: String) throws {
        let snapshot = FakeExchange.snapshot(
            [Self.a, Self.b], models: ["named": .init(provider: Self.b, upstreamModel: "other")],
            defaultProvider: Self.a)
        let directory = ModelDirectory()
        directory.replace(["listed"], of: "b")
        #expect(try Self.choose(model, snapshot, directory) == target)
    }

    @Test(arguments: [
        "b/..", "b/.", "..", "b/x/../y", "b/../../admin", "b/x\\..\\y", "b/x;..", "b/x\r\ny: z", "b/\u{7f}",
    ])
    func `a name that some reader of a path would follow elsewhere is refused`(model: String) throws {
        let rejection = #expect(throws: Rejection.self) {
            try Self.choose(model, FakeExchange.snapshot([Self.a, Self.b], defaultProvider: Self.a))
        }
        #expect(rejection?.status == 400 && rejection?.param == "model")
    }

    @Test func `a configured name comes before a prefix, the echo and what a provider has`() throws {
        for name in ["a/m", "echo", "m-a"] {
            let snapshot = FakeExchange.snapshot(
                [Self.a, Self.b], models: [name: .init(provider: Self.b, upstreamModel: "x")])
            #expect(try Self.choose(name, snapshot) == "b x")
        }
    }

    @Test func `a provider that left the configuration is not chosen for what it once listed`() throws {
        let directory = ModelDirectory()
        directory.replace(["listed"], of: "gone")
        #expect(
            try Self.choose("listed", FakeExchange.snapshot([Self.a, Self.b], defaultProvider: Self.a), directory)
                == "a listed")
    }

    @Test func `without a default what nobody claims is not found`() throws {
        let snapshot = FakeExchange.snapshot([Self.a, Self.b])
        let rejection = #expect(throws: Rejection.self) { try Self.choose("x", snapshot) }
        #expect(rejection?.status == 404 && rejection?.owner == .caller && rejection?.param == "model")
        #expect(rejection?.message.contains("a, b") == true)
        #expect(throws: Rejection.self) { try Self.choose("", snapshot) }
        #expect(try Self.choose("x", FakeExchange.snapshot([Self.b])) == "b x", "one provider alone is the default")
    }
}

@Suite struct `The directory of models` {
    @Test func `of several providers that list a model the first by name has it, whoever was asked last`() {
        let directory = ModelDirectory()
        directory.replace(["m", "z"], of: "z")
        directory.replace(["m", "a"], of: "a")
        #expect(directory.owner(of: "m") == "a")
        #expect(directory.owner(of: "z") == "z")
        directory.replace(["a"], of: "a")
        #expect(directory.owner(of: "m") == "z", "a list that is shorter now gives up what it had")
        directory.replace([], of: "z")
        #expect(directory.owner(of: "m") == nil)
        #expect(directory.models(of: "a") == ["a"])
        #expect(directory.models(of: "nobody").isEmpty)
    }

    @Test func `a list has a bound`() {
        let directory = ModelDirectory()
        directory.replace((0..<ModelDirectory.modelsMax + 10).map { "m\($0)" }, of: "p")
        #expect(directory.models(of: "p").count == ModelDirectory.modelsMax)
        #expect(directory.owner(of: "m0") == "p")
        #expect(directory.owner(of: "m\(ModelDirectory.modelsMax)") == nil)
    }
}
