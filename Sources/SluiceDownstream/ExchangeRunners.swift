internal import SluiceNet

/// Tasks that serve one exchange after another: to hand an exchange to a waiting task costs a fraction of making a new one.
///
/// Belongs to one loop. There are as many runners as exchanges were ever under way at once, up to a bound of those that wait.
final class ExchangeRunners {
    private final class Runner {
        private var next: DownstreamExchange?
        private var signal = TaskSignal()

        func give(_ exchange: DownstreamExchange) {
            next = exchange
            signal.give()
        }

        func take() async -> DownstreamExchange {
            while true {
                if let exchange = next {
                    next = nil
                    return exchange
                }
                unsafe await withUnsafeContinuation { unsafe signal.wait($0) }
            }
        }
    }

    private let loop: EventLoop
    private let serve: (DownstreamExchange) async -> Void
    private var waiting: [Runner] = []
    /// More waiting runners than this are let go: after a burst their memory comes back.
    private static let waitingMax = 64

    init(loop: EventLoop, _ serve: @escaping (DownstreamExchange) async -> Void) {
        self.loop = loop
        self.serve = serve
    }

    /// Starts an exchange; its task runs after the caller has returned to the loop.
    func start(_ exchange: DownstreamExchange) {
        if let runner = waiting.popLast() { return runner.give(exchange) }
        let runner = Runner()
        runner.give(exchange)
        loop.spawn { [self] in
            while true {
                await serve(await runner.take())
                if waiting.count >= Self.waitingMax { return }
                waiting.append(runner)
            }
        }
    }
}
