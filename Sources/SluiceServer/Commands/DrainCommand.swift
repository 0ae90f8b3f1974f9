internal import SluiceConfig
internal import SluiceCore
internal import SluiceIdentity
internal import SluiceNet

/// `sluice drain`: waits until the application beside a Sluice has let go of it, so that it is not ended before that.
///
/// The hook before the end of a container (`preStop`): a pod's containers are told to end at the same time, and an application that
/// finishes its work needs its provider until then.
enum DrainCommand {
    static let command = ArgumentParser.Command(
        "drain",
        summary: "Waits until nobody is connected to the Sluice on this machine: a hook before a container's end.",
        options: [
            AdminQuestion.option,
            .init("seconds", "N", doc: "Waits no longer than this; default 20."),
        ])

    private static let pause = Duration.milliseconds(200)
    /// Nobody is connected for so long: who opens a connection for each request is between two of them otherwise.
    private static let quiet = Duration.seconds(1)

    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
        let url = try AdminQuestion.url(arguments) + "/metrics"
        let longest = Duration.seconds(try arguments.integer("seconds", in: 0...3600) ?? 20)
        return AdminQuestion.run { client in
            let end = EventLoop.readClock() + longest
            var quietSince: Instant?
            while EventLoop.readClock() < end {
                guard let answer = await AdminQuestion.ask(url, through: client), answer.status == 200 else {
                    FileHandleOutput.standardError("sluice drain: \(url) does not tell who is connected\n")
                    return 0  // a hook that fails helps nobody
                }
                let now = EventLoop.readClock()
                if connections(answer.body) > 0 {
                    quietSince = nil
                } else if let since = quietSince {
                    if now - since >= quiet { return 0 }
                } else {
                    quietSince = now
                }
                await EventLoop.current?.pause(for: pause)
            }
            return 0
        }
    }

    /// Connections and requests of applications, as the metrics tell them.
    static func connections(_ metrics: [UInt8]) -> Int {
        var count = 0
        for line in metrics.split(separator: ASCII.lineFeed) {
            for name in ["sluice_downstream_connections ", "sluice_requests_in_flight "] where line.starts(with: name.utf8) {
                let number = String(decoding: line.dropFirst(name.utf8.count), as: UTF8.self)
                count += Double(number).map { Int($0.rounded()) } ?? 0
            }
        }
        return count
    }
}
