internal import SluiceHTTP

/// Why a behaviour cannot be had, in words for whoever asked for it.
package struct BehaviourMistake: Error, Equatable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

extension Behaviour {
    /// Takes one `key` or `key=value` over what was said before.
    mutating func apply(_ key: BehaviourKey, _ value: String?) throws(BehaviourMistake) {
        if let value, key.value == nil { throw BehaviourMistake("\(key.rawValue) takes no value, found \(value)") }
        switch key {
        case .latency: latency = try Self.milliseconds(key, value)
        case .firstToken: firstToken = try Self.milliseconds(key, value)
        case .event, .tokenRate, .burst: pace = try Self.pace(key, value)
        case .jitter: jitter = try Self.share(key, value, absent: nil)
        case .seed: seed = UInt64(try Self.number(key, value, 0...Int.max))
        case .tokens: tokens = try Self.number(key, value, 0...Self.tokensMax)
        case .text: text = try Self.text(key, value)
        case .vary: variance = try Self.share(key, value, absent: 0)
        case .prefill: prefill = try Self.prefill(value)
        case .arguments: arguments = try Self.text(key, value)
        case .reasoning: reasoning = try Self.text(key, value)
        case .toolCalls: toolCalls = try Self.number(key, value, 0...Self.toolCallsMax)
        case .strict: isStrict = true
        case .usage, .promptTokens, .completionTokens, .cachedTokens, .reasoningTokens: try applyUsage(key, value)
        case .retryAfter, .retryAfterDate, .retryAfterMS, .shouldRetry: try applyRetry(key, value)
        case .slowHead: defects.insert(.slowHead)
        case .hugeHead: defects.insert(.hugeHead)
        case .slowBody: defects.insert(.slowBody)
        case .malformed: defects.insert(.malformed)
        case .noDone: defects.insert(.noDone)
        case .noFinish: defects.insert(.noFinish)
        case .drip: drip = try Self.milliseconds(key, value)
        case .comments: comments = try Self.milliseconds(key, value)
        case .times, .after, .every, .flap, .chance: gate = try Self.gate(key, value)
        case .status, .quota, .contextLength, .contentFilter, .redirect, .errorIn200, .reset, .close, .silence,
            .garbage,
            .badLength, .cut, .cutClean, .stall, .errorEvent:
            fault = try Self.fault(key, value)
        }
    }

    private static func fault(_ key: BehaviourKey, _ value: String?) throws(BehaviourMistake) -> Fault? {
        switch key {
        case .status: .status(Status(UInt16(try number(key, value, 400...599))))
        case .quota: .quota
        case .contextLength: .contextLength
        case .contentFilter where value == nil: .contentFiltered
        case .contentFilter where value == "refuse": .promptRefused
        case .contentFilter: throw BehaviourMistake("content-filter: nothing or refuse, found \(value ?? "")")
        case .redirect: .redirect
        case .errorIn200: .errorIn200
        case .reset: .reset
        case .close: .close
        case .silence: .silence
        case .garbage: .garbage
        case .badLength: .badLength
        case .cut: .cut(try share(key, value, absent: 0.66))
        case .cutClean: .cutClean(try share(key, value, absent: 0.66))
        case .stall: .stall(try share(key, value, absent: 0.5))
        case .errorEvent: .errorEvent(value == nil ? nil : try share(key, value, absent: nil))
        default: nil
        }
    }

    private static func gate(_ key: BehaviourKey, _ value: String?) throws(BehaviourMistake) -> FaultGate {
        switch key {
        case .times: return .first(try number(key, value, 0...Int.max))
        case .after: return .after(try number(key, value, 0...Int.max))
        case .every: return .every(try number(key, value, 1...Int.max))
        case .chance: return .chance(try share(key, value, absent: nil))
        default:
            let parts = (value ?? "").split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let failing = try number(key, parts.first.map { String($0) }, 1...requestsMax)
            let passing = parts.count > 1 ? try number(key, String(parts[1]), 1...requestsMax) : failing
            return .flapping(failing, passing: passing)
        }
    }

    private static func prefill(_ value: String?) throws(BehaviourMistake) -> Prefill {
        guard let prefill = value.flatMap({ Prefill(rawValue: $0) }) else {
            throw BehaviourMistake("prefill: continue, ignore or refuse, found \(value ?? "nothing")")
        }
        return prefill
    }

    private mutating func applyUsage(_ key: BehaviourKey, _ value: String?) throws(BehaviourMistake) {
        switch key {
        case .usage:
            guard value == "none" else { throw BehaviourMistake("usage: none, found \(value ?? "nothing")") }
            usage.isOmitted = true
        case .promptTokens: usage.prompt = try Self.number(key, value, 0...1_000_000_000)
        case .completionTokens: usage.completion = try Self.number(key, value, 0...1_000_000_000)
        case .cachedTokens: usage.cached = try Self.number(key, value, 0...1_000_000_000)
        default: usage.reasoning = try Self.number(key, value, 0...1_000_000_000)
        }
    }

    private mutating func applyRetry(_ key: BehaviourKey, _ value: String?) throws(BehaviourMistake) {
        switch key {
        case .retryAfter: retry.seconds = try Self.number(key, value, 0...1_000_000)
        case .retryAfterDate: retry.dateSeconds = try Self.number(key, value, 0...1_000_000)
        case .retryAfterMS: retry.milliseconds = try Self.number(key, value, 0...1_000_000_000)
        default:
            guard value == "true" || value == "false" else {
                throw BehaviourMistake("should-retry: true or false, found \(value ?? "nothing")")
            }
            retry.shouldRetry = value == "true"
        }
    }

    // MARK: Values

    private static func pace(_ key: BehaviourKey, _ value: String?) throws(BehaviourMistake) -> Pace {
        switch key {
        case .burst: return .burst
        case .event:
            let gap = try milliseconds(key, value)
            return gap == .zero ? .eachTurn : .every(gap)
        default:
            guard let rate = value.flatMap(Double.init), rate >= 0, rate <= 1_000_000 else {
                throw BehaviourMistake("\(key.rawValue): tokens a second, 0 to 1000000, found \(value ?? "nothing")")
            }
            return rate == 0 ? .eachTurn : .every(.nanoseconds(Int64(min(1e9 / rate, millisecondsMax * 1e6))))
        }
    }

    private static func milliseconds(_ key: BehaviourKey, _ value: String?) throws(BehaviourMistake) -> Duration {
        guard let number = value.flatMap(Double.init), number >= 0, number <= millisecondsMax else {
            throw BehaviourMistake("\(key.rawValue): milliseconds, 0 to 3600000, found \(value ?? "nothing")")
        }
        return .nanoseconds(Int64(number * 1_000_000))
    }

    private static func share(_ key: BehaviourKey, _ value: String?, absent: Double?) throws(BehaviourMistake) -> Double
    {
        if value == nil, let absent { return absent }
        guard let number = value.flatMap(Double.init), number >= 0, number <= 1 else {
            throw BehaviourMistake("\(key.rawValue): a share, 0 to 1, found \(value ?? "nothing")")
        }
        return number
    }

    private static func number(
        _ key: BehaviourKey, _ value: String?, _ range: ClosedRange<Int>
    ) throws(BehaviourMistake) -> Int {
        guard let number = value.flatMap({ Int($0) }), range.contains(number) else {
            let allowed =
                range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
            throw BehaviourMistake("\(key.rawValue): \(allowed), found \(value ?? "nothing")")
        }
        return number
    }

    private static func text(_ key: BehaviourKey, _ value: String?) throws(BehaviourMistake) -> String {
        guard let value else { throw BehaviourMistake("\(key.rawValue) needs a value: \(key.rawValue)=TEXT") }
        return value
    }
}
