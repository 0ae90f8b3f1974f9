internal import SluiceConfig
internal import SluiceCore
internal import SluiceIdentity
internal import SluiceNet

/// What commands ask the admin port of a Sluice that runs beside them, as hooks of a container do where there is no shell.
enum AdminQuestion {
    static let option = ArgumentParser.Option(
        "admin", "ADDR", doc: "The admin port of the Sluice that is meant; default 127.0.0.1:4011.")

    private static let timeout = Duration.seconds(2)
    private static let replyByteCountMax = 8 << 20

    /// `http://HOST:PORT` of `--admin`.
    static func url(_ arguments: Arguments) throws(UsageError) -> String {
        let text = arguments.text("admin") ?? "127.0.0.1:4011"
        guard let address = ListenAddress(text), address.isLocal, let port = address.port, port > 0 else {
            throw UsageError("--admin: an address and port of this machine, found \(text)")
        }
        return "http://\(address)"
    }

    /// Calls `body` on a loop of its own until it says how it went, and returns that.
    ///
    /// - Parameter body: bounded in time by itself.
    static func run(_ body: @escaping @Sendable (IdentityClient) async -> Int32) -> Int32 {
        guard let loop = try? EventLoop() else { return 1 }
        nonisolated(unsafe) let outcome = Outcome()  // used on the loop, which this thread runs
        let client = IdentityClient(resolver: Resolver(), timeout: timeout, tls: nil)
        loop.execute {
            loop.spawn {
                unsafe outcome.status = await body(client)
                loop.stop()
            }
        }
        loop.run()
        return unsafe outcome.status
    }

    private final class Outcome {
        var status: Int32 = 1
    }

    static func ask(_ url: String, through client: IdentityClient) async -> IdentityClient.Answer? {
        var question = IdentityClient.Question(url: url)
        question.replyByteCountMax = replyByteCountMax
        return try? await client.ask(question)
    }
}
