import SluiceCore
import Testing

@testable import SluiceMock

@Suite struct `An answer that has begun already` {
    private static let question = #"{"role":"user","content":"one two, three four"}"#

    private static func chat(_ words: String, _ prefill: String?) throws -> String? {
        let turn = prefill.map { #",{"role":"assistant","content":"\#($0)"}"# } ?? ""
        let reply = try Making.json(.chatCompletions, #"{"model":"m","messages":[\#(question)\#(turn)]}"#, words)
        return reply["choices"]?[0]?["message"]?["content"]?.string
    }

    private static func answer(_ prefill: String, _ words: String, continues: Bool = false) throws -> String {
        var question = Question()
        question.echo = "one two, three four"
        question.prefill = prefill
        question.continuesPrefill = continues
        return try Answer(question, BehaviourGrammar.list(words, over: Behaviour())).string
    }

    @Test(arguments: ["", "one", "one two,", "one two, three fo", "one two, three four"])
    func `goes on where it was, so that both parts are the whole`(prefill: String) throws {
        let whole = "one two, three four"
        #expect(try Self.chat("prefill=continue", prefill) == String(whole.dropFirst(prefill.count)))
        #expect(try Self.answer(prefill, "", continues: true) == String(whole.dropFirst(prefill.count)))
    }

    @Test func `begins anew where the provider does not know of that`() throws {
        #expect(try Self.chat("", "one two") == "one two, three four")
        #expect(try Self.answer("one two", "") == "one two, three four")
        #expect(try Self.answer("one two", "prefill=ignore", continues: true) == "one two, three four")
    }

    @Test func `is refused where a model takes none`() throws {
        #expect(throws: APIError.noPrefill) { try Self.chat("prefill=refuse", "one") }
        #expect(throws: DialectFailure.self) { try Self.answer("one", "prefill=refuse") }
        #expect(try Self.chat("prefill=refuse", nil) == "one two, three four")
    }

    @Test func `a character is never divided`() throws {
        var question = Question()
        question.echo = "äöü"
        question.prefill = "a"
        question.continuesPrefill = true
        #expect(try Answer(question, Behaviour()).string == "öü")
    }

    @Test func `an answer that varies does so from its share on, and is the same before`() throws {
        var behaviour = try BehaviourGrammar.list("vary=0.5,tokens=10", over: Behaviour())
        let answers = (1...3).map { turn in
            behaviour.turn = turn
            return String(decoding: ReplyText(echo: [], behaviour).bytes, as: UTF8.self)
        }
        #expect(Set(answers).count == 3)
        let half = answers[0].prefix { $0 != "#" }
        #expect(half.count > 20 && answers.allSatisfy { $0.hasPrefix(half) })
        behaviour.variance = 0
        #expect(String(decoding: ReplyText(echo: [], behaviour).bytes, as: UTF8.self).hasPrefix("#3 lorem"))
    }
}
