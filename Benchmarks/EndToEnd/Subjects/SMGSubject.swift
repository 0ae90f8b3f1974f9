/// smg, a model gateway in Rust: one upstream that speaks OpenAI's dialect, nothing kept, nothing tried twice.
struct SMGSubject: Subject {
    let name = "smg"
    let binary: String
    let startTimeMax = 60 * Clock.second

    var version: String {
        // It has no option for it; its package has.
        let python = String(binary.dropLast(name.count)) + "python"
        let code = "import importlib.metadata as m; print('smg', m.version('smg'))"
        return Program.firstLine(of: [python, "-c", code], containing: "smg") ?? "unknown"
    }

    func prepare(_ site: Site) throws(Failure) -> [String] {
        [
            binary, "launch", "--host", "127.0.0.1", "--port", "\(site.plainPort)", "--worker-urls",
            "http://127.0.0.1:\(site.upstreamPort)", "--backend", "openai", "--history-backend", "none", "--disable-retries",
            "--disable-circuit-breaker", "--log-level", "error", "--prometheus-host", "127.0.0.1", "--prometheus-port",
            "\(site.adminPort)", "--request-timeout-secs", "600", "--max-concurrent-requests", "20000",
        ]
    }

    func readiness(_ site: Site) -> (port: UInt16, path: String) { (site.plainPort, "/readiness") }
}
