/// HAProxy as a plain reverse proxy: one thread, keep-alive both ways, no logs, and no delay on small writes. Its
/// `maxconn` is what 20,000 open files allow, at two for a connection.
struct HAProxySubject: Subject {
    let name = "haproxy"
    let binary: String

    var version: String { Program.firstLine(of: [binary, "-v"]) ?? "unknown" }

    func prepare(_ site: Site) throws(Failure) -> [String] {
        let path = "\(site.directory)/haproxy.cfg"
        try Files.write(configuration(site), to: path)
        return [binary, "-db", "-f", path]
    }

    func readiness(_ site: Site) -> (port: UInt16, path: String) { (site.plainPort, "/readyz") }

    private func configuration(_ site: Site) -> String {
        """
        global
          nbthread 1
          maxconn 9800
        defaults
          mode http
          option http-no-delay
          http-reuse always
          retries 1
          timeout connect 5s
          timeout client 600s
          timeout server 600s
          timeout http-keep-alive 600s
        frontend downstream
          bind 127.0.0.1:\(site.plainPort) backlog 4096
          bind 127.0.0.1:\(site.tlsPort) backlog 4096 ssl crt \(site.certificate.bundlePath) alpn h2,http/1.1
          monitor-uri /readyz
          default_backend provider
        backend provider
          server provider 127.0.0.1:\(site.upstreamPort) maxconn 9800 pool-max-conn -1 pool-purge-delay 600s

        """
    }
}
