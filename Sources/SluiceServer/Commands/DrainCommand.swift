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
    /// So many questions in a row without an answer: there is nobody left to ask. One may be a machine that is busy.
    private static let missesMax = 3

    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
        let url = try AdminQuestion.url(arguments) + "/metrics"
        let longest = Duration.seconds(try arguments.integer("seconds", in: 0...3600) ?? 20)
        return AdminQuestion.run { client in
            let end = EventLoop.readClock() + longest
            var quietSince: Instant?
            var misses = 0
            while EventLoop.readClock() < end {
                if let answer = await AdminQuestion.ask(url, through: client), answer.status == 200 {
                    misses = 0
                    let now = EventLoop.readClock()
                    let since = isAnybodyConnected(answer.body) ? nil : quietSince ?? now
                    if let since, now - since >= quiet { return 0 }
                    quietSince = since
                } else {
                    misses += 1
                    quietSince = nil
                    if misses == missesMax {
                        FileHandleOutput.standardError("sluice drain: \(url) does not tell who is connected\n")
                        return 0  // a hook that fails helps nobody
                    }
                }
                await EventLoop.current?.pause(for: pause)
            }
            return 0
        }
    }

    /// Whether there are connections or requests of applications, as the metrics tell it.
    static func isAnybodyConnected(_ metrics: [UInt8]) -> Bool {
        metrics.split(separator: ASCII.lineFeed).contains { line in
            ["sluice_downstream_connections ", "sluice_requests_in_flight "].contains { name in
                line.starts(with: name.utf8)
                    && Double(String(decoding: line.dropFirst(name.utf8.count), as: UTF8.self)) ?? 0 > 0
            }
        }
    }
}
