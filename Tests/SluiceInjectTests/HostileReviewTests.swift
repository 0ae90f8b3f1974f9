import Foundation
import SluiceCore
import SluiceJSON
import TestSupport
import Testing

@testable import SluiceInject

@Suite struct `Hostile reviews` {
    @Test(arguments: [
        "", "null", "[]", "1", "{}", "{\"apiVersion\":\"admission.k8s.io/v1\"}",
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":[]}",
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"\"}}",
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":1}}",
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\",\"kind\":\"Pod\"}}",
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"",
    ])
    func `that are none are refused`(body: String) {
        guard case .failure = Reviews.answer(Array(body.utf8)) else {
            Issue.record("answered")
            return
        }
    }

    @Test func `that are deep are refused, and take no time`() {
        let body = Array((String(repeating: "{\"a\":", count: 500_000)).utf8)
        let start = ThreadTime.now
        guard case .failure(let malformed) = Reviews.answer(body) else {
            Issue.record("answered")
            return
        }
        #expect(malformed.message.contains("nested too deeply"))
        #expect(ThreadTime.now - start < .seconds(5))
    }

    @Test func `that are changed in any way are answered or refused, and an answer is JSON`() throws {
        let names = try `Golden reviews`.names
        let bodies = try names.map { Array(try Data(contentsOf: `Golden reviews`.folder.appendingPathComponent($0))) }
        for seed in SplitMix64.seeds(600) {
            var random = SplitMix64(seed)
            var body = bodies[Int.random(in: 0..<bodies.count, using: &random)]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: body[at] = UInt8.random(in: 0...255, using: &random)
                case 1: body.remove(at: at)
                case 2: body.insert(contentsOf: Array("null".utf8), at: at)
                default: body.removeSubrange(at..<min(body.count, at + 40))
                }
                if body.isEmpty { break }
            }
            if case .success(let answer) = Reviews.answer(body) {
                #expect(throws: Never.self, "seed \(seed)") { try JSONSerialization.jsonObject(with: Data(answer)) }
            }
        }
    }

    @Test func `with names that hold control characters write none into their answers`() throws {
        let body = #"""
            {"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u\n1","kind":{"version":"v1","kind":"Pod"},
            "operation":"CREATE","object":{"metadata":{"annotations":{"sluice.io/inj\u0000ect\r\n":"x"}},
            "spec":{"containers":[{"name":"a\r\nb","env":[{"name":"OPENAI_BASE_URL","value":"x"}]}]}}}}
            """#
        let answer = try Reviews.answer(Array(body.utf8)).get()
        #expect(answer.allSatisfy { $0 >= 0x20 })
        let response = try #require(
            (try JSONSerialization.jsonObject(with: Data(answer)) as? [String: Any])?["response"] as? [String: Any])
        let warnings = try #require(response["warnings"] as? [String])
        #expect(warnings.count == 2)
        #expect(warnings.allSatisfy { text in text.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
        #expect(response["uid"] as? String == "u\n1")
    }

    /// A review of a pod to be created.
    private func review(_ pod: [String: Any]) throws -> [UInt8] {
        let review: [String: Any] = [
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": [
                "uid": "u", "kind": ["version": "v1", "kind": "Pod"], "operation": "CREATE", "object": pod,
                "namespace": String(repeating: "n", count: 100_000),
            ] as [String: Any],
        ]
        return Array(try JSONSerialization.data(withJSONObject: review))
    }

    @Test func `with names of any length put no more into log and answer than names have`() throws {
        let long = String(repeating: "é", count: 100_000)
        let body = try review([
            "metadata": ["name": long, "annotations": ["sluice.io/port": "2000"]],
            "spec": ["containers": [["name": long, "ports": [["containerPort": 2000]]]]],
        ])
        let answer = try Reviews.injector.answer(body.span, .namespace)
        #expect(answer.decision.outcome == .denied)
        #expect(answer.body.count < 16_384)
        #expect(answer.denial?.utf8.count ?? 0 < 1000)
        #expect(1...260 ~= answer.pod.utf8.count && 1...260 ~= answer.namespace.utf8.count)
    }

    @Test func `with lists beyond what annotations can be are refused`() throws {
        for text in ["gpt-5.4" + String(repeating: " ", count: 70_000), String(repeating: "m,", count: 257)] {
            let body = try review([
                "metadata": ["annotations": ["sluice.io/models": text]], "spec": ["containers": [["name": "a"]]],
            ])
            #expect(try Reviews.injector.answer(body.span, .namespace).decision.outcome == .denied)
        }
    }

    @Test func `with thousands of wrong annotations have an answer that stays short`() throws {
        var annotations: [String: String] = [:]
        for number in 0..<5000 { annotations["sluice.io/x\(number)"] = String(repeating: "y", count: 50) }
        let pod: [String: Any] = ["metadata": ["annotations": annotations], "spec": ["containers": [["name": "a"]]]]
        let answer = try Reviews.answer(try review(pod)).get()
        #expect(answer.count < 16_384)
    }
}

@Suite struct `Places in a document` {
    @Test(arguments: [
        ("sluice.io/status", "/a/sluice.io~1status"), ("~", "/a/~0"), ("a/b~c", "/a/a~1b~0c"), ("~1", "/a/~01"), ("", "/a/"),
    ])
    func `escape what is no part of a name`(name: String, text: String) {
        #expect(JSONPointer.root.appending("a").appending(name).text == text)
    }
}

@Suite struct `Amounts` {
    @Test(arguments: [
        ("1", 1000), ("100m", 100), ("1.5", 1500), ("0.25", 250), ("64Mi", 67_108_864_000), ("1Gi", 1_073_741_824_000),
        ("2k", 2_000_000), ("1.5Ki", 1_536_000),
    ])
    func `are read as Kubernetes reads them`(text: String, thousandths: Int) {
        #expect(Quantity(text)?.thousandths == thousandths)
    }

    @Test(arguments: ["", "0", "-1", "1e3", "1 Mi", "Mi", "1MiB", "1.", ".5", "1.2.3", "9999999999999", "999999999999Ti", "１", "1\n"])
    func `of other forms are refused`(text: String) {
        #expect(Quantity(text) == nil)
    }
}
