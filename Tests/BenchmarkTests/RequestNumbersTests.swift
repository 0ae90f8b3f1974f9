import Testing

@testable import sluice_bench

@Suite struct `Requests that differ` {
    private static func bodies(_ variation: ChatRequest.Variation, _ count: Int) -> (bodies: [String], distinct: Int) {
        let request = ChatRequest(.plain, variation: variation)
        var bytes = request.http1(port: 1)
        var numbers = RequestNumbers(request, in: bytes)
        let bodies = (0..<count).map { _ in
            numbers?.next(in: &bytes)
            return String(decoding: bytes.suffix(request.body.count), as: UTF8.self)
        }
        return (bodies, numbers?.distinctCount ?? 1)
    }

    @Test func `without a variation all are the same`() {
        #expect(RequestNumbers(ChatRequest(.plain), in: ChatRequest(.plain).http1(port: 1)) == nil)
    }

    @Test func `each can be another one, of the same length`() {
        let (bodies, distinct) = Self.bodies(.each, 1_000)
        #expect(Set(bodies).count == 1_000 && distinct == 1_000)
        #expect(Set(bodies.map(\.utf8.count)).count == 1)
        #expect(bodies[7].contains(#""content":"0000000007"#))
    }

    @Test func `some take turns`() {
        let (bodies, distinct) = Self.bodies(.among(3), 9)
        #expect(Set(bodies).count == 3 && distinct == 3)
        #expect(Set(bodies.suffix(3)).count == 3)
    }

    @Test func `a share of them was asked before`() {
        let (bodies, distinct) = Self.bodies(.repeats(0.8), 10_000)
        #expect(Set(bodies).count == distinct)
        #expect((1_800...2_200).contains(distinct))
    }
}
