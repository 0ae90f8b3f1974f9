internal import CBench
internal import Glibc

/// `sluice-bench upstream`: the stand-in upstream as a process of its own.
enum UpstreamCommand {
    static func run(_ arguments: ArraySlice<String>) -> Never {
        do {
            let listener = try listener(Array(arguments))
            _ = Limits.raiseOpenFiles()
            Limits.minimiseTimerSlack()
            try UpstreamServer(listener: listener).run()
        } catch {
            Terminal.note("sluice-bench upstream: \(error)")
            exit(2)
        }
    }

    /// `--port N` listens itself and says where; `--fd N` takes a socket that the parent listens on, and ends with it.
    private static func listener(_ arguments: [String]) throws(Failure) -> Int32 {
        switch (arguments.first, arguments.dropFirst().first.flatMap { Int32($0) }) {
        case ("--fd", let file?):
            _ = bench_die_with_parent()
            return file
        case ("--port", let port?) where (0...65_535).contains(port):
            let file = try Socket.listen(port: UInt16(port))
            Terminal.say("listening on 127.0.0.1:\(Socket.port(of: file))")
            return file
        default:
            throw Failure("expected --port N or --fd N")
        }
    }
}
