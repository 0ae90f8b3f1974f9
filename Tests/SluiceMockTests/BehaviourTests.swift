import SluiceHTTP
import Testing

@testable import SluiceMock

@Suite struct `Behaviours in words` {
    @Test func `a plain model name says nothing`() throws {
        #expect(try BehaviourGrammar.model("gpt-5.4-mini", over: Behaviour()) == Behaviour())
        #expect(try BehaviourGrammar.model("command-r+", over: Behaviour()) == Behaviour())
    }

    @Test func `a model name says how to behave`() throws {
        let behaviour = try BehaviourGrammar.model(
            "gpt-mock+latency-ms=50+tokens=20+cut=0.25+no-done", over: Behaviour())
        #expect(behaviour.latency == .milliseconds(50))
        #expect(behaviour.tokens == 20)
        #expect(behaviour.fault == .cut(0.25))
        #expect(behaviour.defects == .noDone)
    }

    @Test func `a list says the same with commas, and spaces do not matter`() throws {
        let listed = try BehaviourGrammar.list(" status=503 , retry-after=2,times=1 ", over: Behaviour())
        let named = try BehaviourGrammar.model("m+status=503+retry-after=2+times=1", over: Behaviour())
        #expect(listed == named)
        #expect(listed.fault == .status(503))
        #expect(listed.retry.seconds == 2)
        #expect(listed.gate == .first(1))
    }

    @Test func `faults of one place replace those of the place before, and content stays`() throws {
        let flags = try BehaviourGrammar.list("tokens=7,status=500,retry-after=9,no-done", over: Behaviour())
        let header = try BehaviourGrammar.list("cut", over: flags)
        #expect(header.tokens == 7)
        #expect(header.fault == .cut(0.66))
        #expect(header.defects.isEmpty)
        #expect(header.retry == RetryAdvice())
        #expect(try BehaviourGrammar.list("tokens=8", over: flags).fault == .status(500))
    }

    @Test func `values are percent-decoded and encoding is its inverse`() throws {
        let text = "a, b + c%41 \"ü\""
        let encoded = BehaviourGrammar.encoded(text)
        #expect(try BehaviourGrammar.list("text=\(encoded)", over: Behaviour()).text == text)
        #expect(try BehaviourGrammar.model("m+text=\(encoded)", over: Behaviour()).text == text)
    }

    @Test(arguments: [
        "latancy-ms=5", "latency-ms", "latency-ms=-1", "latency-ms=x", "latency-ms=nan", "tokens=100001", "cut=1.5",
        "cut=nan",
        "status=200", "status=600", "reset=1", "every=0", "flap=0", "usage=all", "jitter", "content-filter=maybe",
        "text", "burst=1", "flap=2:0", "flap=:3", "flap=1:2:3", "chance", "chance=2", "prefill", "prefill=maybe",
        "vary=2",
        "drip-ms", "comments-ms=-1",
        "retry-after=1000001", "token-rate=-1", "token-rate=inf", "should-retry=yes",
    ])
    func `a word that means nothing is refused`(word: String) {
        #expect(throws: BehaviourMistake.self) { try BehaviourGrammar.list(word, over: Behaviour()) }
    }

    @Test func `every word of the help is understood`() throws {
        for key in BehaviourKey.allCases {
            let value =
                switch key {
                case .usage: "none"
                case .shouldRetry: "false"
                case .status: "503"
                case .contentFilter: "refuse"
                case .prefill: "ignore"
                case .flap: "1:2"
                default: "1"
                }
            let word = key.value == nil ? key.rawValue : "\(key.rawValue)=\(value)"
            #expect(throws: Never.self, "\(word)") { try BehaviourGrammar.list(word, over: Behaviour()) }
            #expect(MockHelp.details.contains(key.rawValue))
            if let placeholder = key.value, placeholder.hasPrefix("[") {
                #expect(throws: Never.self, "\(key.rawValue)") {
                    try BehaviourGrammar.list(key.rawValue, over: Behaviour())
                }
            }
        }
    }

    @Test func `the benchmark's model names mean what they mean there`() throws {
        let delay = try BehaviourGrammar.model("bench-delay-50", over: Behaviour())
        #expect(delay.latency == .milliseconds(50) && delay.tokens == 12)
        let burst = try BehaviourGrammar.model("bench-burst-1000", over: Behaviour())
        #expect(burst.tokens == 1000 && burst.pace == .burst)
        let paced = try BehaviourGrammar.model("bench-paced-50-10", over: Behaviour())
        #expect(paced.tokens == 50 && paced.pace == .every(.milliseconds(10)) && paced.isSpread)
        #expect(try BehaviourGrammar.model("bench-silent", over: Behaviour()).fault == .stall(0.5))
    }

    @Test(arguments: [
        (FaultGate.first(2), [true, true, false, false, false, false]),
        (.every(2), [true, false, true, false, true, false]),
        (.every(3), [true, false, false, true, false, false]),
        (.flapping(2, passing: 2), [true, true, false, false, true, true]),
        (.flapping(1, passing: 3), [true, false, false, false, true, false]),
        (.after(4), [false, false, false, false, true, true]),
        (.chance(0), [false, false, false, false, false, false]),
        (.chance(1), [true, true, true, true, true, true]),
        (.first(0), [false, false, false, false, false, false]),
    ])
    func `a gate says which requests are hit`(gate: FaultGate, hits: [Bool]) {
        #expect((1...6).map { gate.hits(request: $0) } == hits)
    }

    @Test func `chance hits its share of the requests, the same ones for the same seed`() {
        let gate = FaultGate.chance(0.3)
        for seed in UInt64(1)...20 {
            let hits = (1...2_000).filter { gate.hits(request: $0, seed: seed) }
            #expect((520...680).contains(hits.count), "seed \(seed)")
            #expect(hits == (1...2_000).filter { gate.hits(request: $0, seed: seed) }, "seed \(seed)")
        }
        #expect((1...64).map { gate.hits(request: $0, seed: 1) } != (1...64).map { gate.hits(request: $0, seed: 2) })
    }

    @Test func `flapping is said with one number or with two`() throws {
        #expect(try BehaviourGrammar.list("flap=5", over: Behaviour()).gate == .flapping(5, passing: 5))
        #expect(try BehaviourGrammar.model("m+flap=2:7", over: Behaviour()).gate == .flapping(2, passing: 7))
    }

    @Test func `a request that the gate lets pass is on time and well`() throws {
        let usual = try BehaviourGrammar.list("latency-ms=3", over: Behaviour())
        let slow = try BehaviourGrammar.list("latency-ms=500,tokens=4,status=500,times=1", over: usual)
        let passing = slow.passing(usual)
        #expect(passing.latency == .milliseconds(3) && passing.tokens == 4 && passing.isPlain == false)
        #expect(passing.fault == nil && passing.gate == nil)
    }

    @Test(arguments: [
        (0, "0s"), (12, "12ms"), (1000, "1s"), (8640, "8.64s"), (360_000, "6m0s"), (3_723_000, "1h2m3s"),
        (1005, "1.005s"),
        (61_050, "1m1.05s"),
    ])
    func `durations are spelled as Go does`(milliseconds: Int, text: String) {
        #expect(GoDuration.text(milliseconds: milliseconds) == text)
    }
}
