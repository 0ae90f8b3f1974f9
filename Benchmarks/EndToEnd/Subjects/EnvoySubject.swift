/// Envoy as a plain reverse proxy: one worker, no access log, and limits on connections and requests that none reaches.
struct EnvoySubject: Subject {
    let name = "envoy"
    let binary: String

    var version: String {
        // PATH  version: COMMIT/NUMBER/…
        let line = Program.firstLine(of: [binary, "--version"], containing: "version:") ?? "unknown"
        return "envoy " + (line.firstRange(of: "version: ").map { String(line[$0.upperBound...]) } ?? line)
    }

    func prepare(_ site: Site) throws(Failure) -> [String] {
        let path = "\(site.directory)/envoy.yaml"
        try Files.write(configuration(site), to: path)
        return [binary, "-c", path, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    }

    func readiness(_ site: Site) -> (port: UInt16, path: String) { (site.plainPort, "/readyz") }

    private func configuration(_ site: Site) -> String {
        """
        static_resources:
          listeners:
          - name: plain
            address: {socket_address: {address: 127.0.0.1, port_value: \(site.plainPort)}}
            tcp_backlog_size: 4096
            filter_chains:
            - filters: [\(connectionManager)]
          - name: tls
            address: {socket_address: {address: 127.0.0.1, port_value: \(site.tlsPort)}}
            tcp_backlog_size: 4096
            filter_chains:
            - filters: [\(connectionManager)]
              transport_socket:
                name: envoy.transport_sockets.tls
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
                  common_tls_context:
                    alpn_protocols: [h2, http/1.1]
                    tls_certificates:
                    - certificate_chain: {filename: "\(site.certificate.certificatePath)"}
                      private_key: {filename: "\(site.certificate.keyPath)"}
          clusters:
          - name: provider
            type: STATIC
            connect_timeout: 5s
            circuit_breakers:
              thresholds:
              - {max_connections: 20000, max_pending_requests: 20000, max_requests: 20000}
            load_assignment:
              cluster_name: provider
              endpoints:
              - lb_endpoints:
                - endpoint:
                    address: {socket_address: {address: 127.0.0.1, port_value: \(site.upstreamPort)}}

        """
    }

    /// Waits without end for answers and streams, and says itself that it is ready.
    private var connectionManager: String {
        """
        {name: envoy.filters.network.http_connection_manager, typed_config: {
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager,
          stat_prefix: bench, codec_type: AUTO, generate_request_id: false, stream_idle_timeout: 0s,
          http_filters: [{name: envoy.filters.http.router, typed_config: {
            "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}],
          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [
            {match: {path: /readyz}, direct_response: {status: 200}},
            {match: {prefix: /}, route: {cluster: provider, timeout: 0s}}]}]}}}
        """.split(separator: "\n").joined(separator: " ")
    }
}
