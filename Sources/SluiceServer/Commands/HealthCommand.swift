internal import SluiceConfig
internal import SluiceCore
internal import SluiceIdentity
internal import SluiceNet

/// `sluice health`: whether a Sluice is ready, for hooks and probes where there is no curl.
enum HealthCommand {
    static let command = ArgumentParser.Command(
        "health", summary: "Whether the Sluice on this machine is ready: exit status 0, or 69.",
        options: [
            AdminQuestion.option,
            .init("live", doc: "Whether it runs at all, ready or not."),
            .init("wait", "SECONDS", doc: "Asks until it is; default 0: once."),
        ])

    /// EX_UNAVAILABLE of sysexits(3).
    static let unavailableStatus: Int32 = 69
    private static let pause = Duration.milliseconds(100)

    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
        let url = try AdminQuestion.url(arguments) + (arguments.has("live") ? "/livez" : "/readyz")
        let wait = Duration.seconds(try arguments.integer("wait", in: 0...3600) ?? 0)
        let status = AdminQuestion.run { client in
            let end = EventLoop.readClock() + wait
            while true {
                if await AdminQuestion.ask(url, through: client)?.status == 200 { return 0 }
                if EventLoop.readClock() >= end { return unavailableStatus }
                await EventLoop.current?.pause(for: pause)
            }
        }
        if status != 0 { FileHandleOutput.standardError("sluice health: \(url) does not say that it is well\n") }
        return status
    }
}
