internal import SluiceCore

/// The three places where a behaviour is told, and how it stands there.
///
/// - a model's name: `NAME+key=value+key`, for example `gpt-mock+latency-ms=50+cut=0.66`;
/// - the header `x-mock: key=value, key`;
/// - a flag: `--fault key=value,key`, or `--key value`.
///
/// In all of them a value is percent-decoded, so that it can have any character.
package enum BehaviourGrammar {
    /// What a model's name says over `base`. A plain name says nothing.
    package static func model(_ name: String, over base: Behaviour) throws(BehaviourMistake) -> Behaviour {
        if name.hasPrefix("bench-") { return bench(name, over: base) }
        guard name.utf8.contains(UInt8(ascii: "+")) else { return base }
        var behaviour = base
        try apply(name.split(separator: "+").dropFirst(), to: &behaviour)
        return behaviour
    }

    /// What a header or a flag says over `base`.
    package static func list(_ text: String, over base: Behaviour) throws(BehaviourMistake) -> Behaviour {
        var behaviour = base
        try apply(text.split(separator: ",")[...], to: &behaviour)
        return behaviour
    }

    private static func apply(_ parts: ArraySlice<Substring>, to behaviour: inout Behaviour) throws(BehaviourMistake) {
        // What is said here is another story than what was said before: faults do not add up over places.
        var isFirstFault = true
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = pair[0].drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            let key = try key(String(name))
            if isFirstFault, key.isAboutFaults {
                isFirstFault = false
                behaviour.fault = nil
                behaviour.defects = []
                behaviour.retry = RetryAdvice()
                behaviour.drip = nil
                behaviour.comments = nil
                behaviour.gate = nil
            }
            try behaviour.apply(key, pair.count > 1 ? decoded(pair[1]) : nil)
        }
    }

    private static func key(_ name: String) throws(BehaviourMistake) -> BehaviourKey {
        if let key = BehaviourKey(rawValue: name) { return key }
        let names = BehaviourKey.allCases.map(\.rawValue).joined(separator: ", ")
        throw BehaviourMistake("sluice mock knows no \"\(name)\"; it knows \(names)")
    }

    /// Trailing spaces are not part of a value; encoded ones are.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        let encoded = Array(text.utf8)
        var end = encoded.count
        while end > 0, encoded[end - 1] == UInt8(ascii: " ") { end -= 1 }
        var index = 0
        while index < end {
            if encoded[index] == UInt8(ascii: "%"), index + 2 < end, let high = encoded[index + 1].hexDigitValue,
                let low = encoded[index + 2].hexDigitValue
            {
                bytes.append(UInt8(high << 4 | low))
                index += 3
            } else {
                bytes.append(encoded[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A value as it can stand in a behaviour.
    package static func encoded(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "%": text += "%25"
            case ",": text += "%2C"
            case "+": text += "%2B"
            case " ": text += "%20"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    // MARK: The names that benchmarks use

    /// `bench-delay-50`, `bench-burst-1000`, `bench-paced-50-10`, `bench-silent`; every other `bench-…` answers at
    /// once.
    private static func bench(_ name: String, over base: Behaviour) -> Behaviour {
        var behaviour = base
        behaviour.tokens = behaviour.tokens ?? 12
        let words = name.split(separator: "-")
        let numbers = words.dropFirst(2).compactMap { Int($0) }.map { min(max($0, 0), Behaviour.tokensMax) }
        switch (words.dropFirst().first, numbers.count) {
        case ("delay", 1): behaviour.latency = .milliseconds(numbers[0])
        case ("burst", 1):
            behaviour.tokens = numbers[0]
            behaviour.pace = .burst
        case ("paced", 2):
            behaviour.tokens = numbers[0]
            behaviour.pace = numbers[1] == 0 ? .eachTurn : .every(.milliseconds(numbers[1]))
            behaviour.isSpread = true
        case ("silent", 0):
            behaviour.tokens = 2
            behaviour.fault = .stall(0.5)
        default: break
        }
        return behaviour
    }
}

extension BehaviourKey {
    /// Whether it says what goes wrong, or when.
    var isAboutFaults: Bool {
        switch self {
        case .latency, .firstToken, .event, .tokenRate, .burst, .jitter, .seed, .tokens, .text, .vary, .prefill,
            .arguments, .reasoning, .toolCalls, .usage, .promptTokens, .completionTokens, .cachedTokens,
            .reasoningTokens, .strict:
            false
        default: true
        }
    }
}
