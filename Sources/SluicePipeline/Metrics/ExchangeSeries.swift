internal import SluiceCore
internal import SluicePolicy
internal import SluiceProviders

/// What exchanges have in common that are counted in the same series.
struct ServedKey: Hashable {
    /// The address of a constant.
    let route: Int
    let code: Int
    let operation: OpenAIOperation?
    let target: ObjectIdentifier?
    let provider: ObjectIdentifier?
    let isStream: Bool
    let error: String
    /// As it was asked for, and as the provider says who answered.
    let model: String
    let answeredBy: String

    func hash(into hasher: inout Hasher) {
        hasher.combine(route &+ code &* 0x9E37_79B9)
        hasher.combine(target ?? provider)
        hasher.combine(model)
        hasher.combine(answeredBy)
    }

    static func == (a: Self, b: Self) -> Bool {
        a.target == b.target && a.route == b.route && a.code == b.code && a.operation == b.operation
            && a.provider == b.provider && a.isStream == b.isStream && a.model == b.model && a.error == b.error
            && a.answeredBy == b.answeredBy
    }
}

/// Where exchanges are counted that end alike: looked up once by a worker, and kept.
final class ServedSeries {
    struct Stream {
        let firstToken, timePerToken: HistogramCell
    }

    struct Tokens {
        let input, output: HistogramCell
        /// Of `Part`: not every provider has them.
        var parts: [HistogramCell?] = [nil, nil, nil]

        /// Tokens that are among the others, too.
        enum Part: Int {
            case cached, cacheWrite, reasoning

            var name: String {
                switch self {
                case .cached: "cached_input"
                case .cacheWrite: "cache_creation_input"
                case .reasoning: "reasoning"
                }
            }
        }
    }

    let requests: CounterCell
    /// `nil` for what is no call of a model.
    let duration: HistogramCell?
    /// Of streams alone.
    let stream: Stream?
    /// Made when there is something to count.
    var tokens: Tokens?
    var estimated: (input: CounterCell, output: CounterCell)?
    var cost: CounterCell?
    /// Kept, so that no other object gets the address that the key has.
    private let owners: (TargetState?, Provider?)

    init(_ requests: CounterCell, _ duration: HistogramCell?, _ stream: Stream?, of owners: (TargetState?, Provider?)) {
        self.requests = requests
        self.duration = duration
        self.stream = stream
        self.owners = owners
    }
}

/// What attempts have in common that are counted in the same series.
struct AskedKey: Hashable {
    let operation: OpenAIOperation?
    let target: ObjectIdentifier
    let kind: FailureClass?
    let answeredBy: String

    /// What a provider says of itself is in it, too: thousands of keys in one place of the table would be looked through one by one.
    func hash(into hasher: inout Hasher) {
        hasher.combine(target)
        hasher.combine(answeredBy)
    }

    static func == (a: Self, b: Self) -> Bool {
        a.target == b.target && a.operation == b.operation && a.kind == b.kind && a.answeredBy == b.answeredBy
    }
}

/// A series that few requests are counted in: a family, and what its labels say, as many as it has.
struct RareKey: Hashable {
    let family: Int
    let first, second, third: String?

    var values: [String] { [first, second, third].compactMap(\.self) }
}

/// What became of a request that waited for a place.
enum QueueOutcome: Int, CaseIterable {
    case admitted, refused
    /// It was given up before it was its turn.
    case gone

    init(_ end: QueueWait.End) {
        switch end {
        case .admitted: self = .admitted
        case .displaced, .timeout, .shutdown: self = .refused
        case .gone: self = .gone
        }
    }

    var name: String { "\(self)" }
}

/// Where attempts are counted that end alike.
final class AskedSeries {
    let attempts: CounterCell
    let duration: HistogramCell
    let firstChunk: HistogramCell
    /// By what attempts have told the target's breaker.
    var breaker: [CounterCell?] = [nil, nil, nil]
    private let owner: TargetState

    init(_ attempts: CounterCell, _ duration: HistogramCell, _ firstChunk: HistogramCell, of owner: TargetState) {
        self.attempts = attempts
        self.duration = duration
        self.firstChunk = firstChunk
        self.owner = owner
    }
}

/// A table of series by what they have in common. Whoever comes is most often like the one before.
struct SeriesTable<Key: Hashable, Series: AnyObject> {
    private var all: [Key: Series] = [:]
    private var last: (key: Key, series: Series)?
    /// When there are more, they are looked up again.
    private static var countMax: Int { 4096 }

    @inline(__always)
    mutating func series(_ key: Key, _ make: () -> Series) -> Series {
        if let last, last.key == key { return last.series }
        let series = all[key] ?? add(key, make())
        last = (key, series)
        return series
    }

    private mutating func add(_ key: Key, _ series: Series) -> Series {
        if all.count >= Self.countMax { all.removeAll(keepingCapacity: true) }
        all[key] = series
        return series
    }

    mutating func removeAll() {
        all.removeAll()
        last = nil
    }
}
