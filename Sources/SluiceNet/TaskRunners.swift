/// Tasks that run one piece of work after another: to hand work to a waiting task costs a fraction of making a new one.
///
/// Belongs to one loop. There are as many runners as pieces of work were ever under way at once, up to a bound of those that wait.
package final class TaskRunners<Work> {
    private final class Runner {
        let work = Waiter<Work>()
    }

    private let loop: EventLoop
    private let perform: (Work) async -> Void
    private var waiting: [Runner] = []
    /// More waiting runners than this are let go: after a burst their memory comes back.
    private static var waitingMax: Int { 64 }

    package init(loop: EventLoop, _ perform: @escaping (Work) async -> Void) {
        self.loop = loop
        self.perform = perform
    }

    /// Starts a piece of work; it begins after the caller has returned to the loop.
    package func start(_ work: Work) {
        if let runner = waiting.popLast() { return runner.work.fulfil(work) }
        let runner = Runner()
        runner.work.fulfil(work)
        loop.spawn { [self] in
            while true {
                await perform(await runner.work.wait())
                if waiting.count >= Self.waitingMax { return }
                waiting.append(runner)
            }
        }
    }
}
