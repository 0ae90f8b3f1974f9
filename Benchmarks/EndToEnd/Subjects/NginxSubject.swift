internal import Glibc

/// nginx as a plain reverse proxy, the yardstick: one worker, keep-alive both ways, no logs, nothing on disk.
struct NginxSubject: Subject {
    let name = "nginx"
    let binary: String

    var version: String { Program.firstLine(of: [binary, "-v"]) ?? "unknown" }

    func prepare(_ site: Site) throws(Failure) -> [String] {
        let path = "\(site.directory)/nginx.conf"
        try Files.write(configuration(site), to: path)
        return [binary, "-p", site.directory, "-e", "\(site.directory)/nginx.log", "-c", path]
    }

    func readiness(_ site: Site) -> (port: UInt16, path: String) { (site.plainPort, "/readyz") }

    func http2Port(_ site: Site) -> UInt16 { site.http2Port }

    /// Bodies stay in memory (`client_body_buffer_size`), streams are not held back (`proxy_buffering off`), and no
    /// connection is closed for its age or its number of requests.
    private func configuration(_ site: Site) -> String {
        """
        \(geteuid() == 0 ? "user root;" : "")
        daemon off;
        worker_processes 1;
        worker_rlimit_nofile 20000;
        pid \(site.directory)/nginx.pid;
        error_log \(site.directory)/nginx.log crit;
        events { worker_connections 20000; }
        http {
          access_log off;
          client_body_temp_path \(site.directory)/body;
          proxy_temp_path \(site.directory)/proxy;
          fastcgi_temp_path \(site.directory)/fastcgi;
          uwsgi_temp_path \(site.directory)/uwsgi;
          scgi_temp_path \(site.directory)/scgi;
          client_body_buffer_size 256k;
          client_max_body_size 16m;
          keepalive_requests 1000000000;
          keepalive_timeout 600s;
          http2_max_concurrent_streams 1024;
          upstream provider {
            server 127.0.0.1:\(site.upstreamPort);
            keepalive 1024;
            keepalive_requests 1000000000;
            keepalive_timeout 600s;
          }
          server {
            listen 127.0.0.1:\(site.plainPort) backlog=4096;
            listen 127.0.0.1:\(site.http2Port) http2;
            listen 127.0.0.1:\(site.tlsPort) ssl http2;
            ssl_certificate \(site.certificate.certificatePath);
            ssl_certificate_key \(site.certificate.keyPath);
            ssl_protocols TLSv1.2 TLSv1.3;
            location = /readyz { return 200; }
            location / {
              proxy_pass http://provider;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_buffering off;
              proxy_read_timeout 600s;
            }
          }
        }

        """
    }
}
