/// What an upstream does with a request, said by the model's name, which every proxy hands through.
enum Behaviour: Hashable {
    /// A completion at once: any other name.
    case plain
    /// A completion after a while: `bench-delay-50`.
    case delayed(milliseconds: Int)
    /// A stream of this many content events, all written at once: `bench-burst-1000`.
    case burst(eventCount: Int)
    /// A stream of this many content events, one at a time: `bench-paced-100-10`.
    case paced(eventCount: Int, milliseconds: Int)
    /// The first events of a stream, with one word of content, and then nothing: `bench-silent`.
    case silent

    /// At the end of a model's name: the stand-in answers in the shape of Anthropic's Messages.
    static let messagesSuffix = "-messages"

    init(modelName: some StringProtocol) {
        let words = modelName.split(separator: "-")
        let numbers = words.dropFirst(2).compactMap { Int($0) }
        self =
            switch (words.dropFirst().first, numbers.count) {
            case ("delay", 1): .delayed(milliseconds: numbers[0])
            case ("burst", 1): .burst(eventCount: numbers[0])
            case ("paced", 2): .paced(eventCount: numbers[0], milliseconds: numbers[1])
            case ("silent", 0): .silent
            default: .plain
            }
    }

    var modelName: String {
        switch self {
        case .plain: "bench-plain"
        case .delayed(let milliseconds): "bench-delay-\(milliseconds)"
        case .burst(let eventCount): "bench-burst-\(eventCount)"
        case .paced(let eventCount, let milliseconds): "bench-paced-\(eventCount)-\(milliseconds)"
        case .silent: "bench-silent"
        }
    }

    var isStream: Bool {
        switch self {
        case .plain, .delayed: false
        case .burst, .paced, .silent: true
        }
    }

    /// All events of the stream: role, content, finish, usage and `[DONE]`; `nil` where there is no end or no stream.
    var eventCount: Int? {
        switch self {
        case .burst(let eventCount), .paced(let eventCount, _): eventCount + 4
        case .plain, .delayed, .silent: nil
        }
    }
}
