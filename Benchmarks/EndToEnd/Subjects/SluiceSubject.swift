/// Sluice with one worker and one provider, as an application would run it beside itself.
struct SluiceSubject: Subject {
    let name = "sluice"
    let binary: String

    var version: String { Program.firstLine(of: [binary, "--version"]) ?? "unknown" }

    func prepare(_ site: Site) throws(Failure) -> [String] {
        let path = "\(site.directory)/sluice.json5"
        try Files.write(configuration(site), to: path)
        return [binary, "run", "--config", path]
    }

    func readiness(_ site: Site) -> (port: UInt16, path: String) { (site.adminPort, "/readyz") }

    private func configuration(_ site: Site) -> String {
        """
        {
          listeners: [
            { address: "127.0.0.1:\(site.plainPort)" },
            {
              address: "127.0.0.1:\(site.tlsPort)",
              tls: {
                certificates: [
                  { certificate_file: "\(site.certificate.certificatePath)", key_file: "\(site.certificate.keyPath)" },
                ],
              },
            },
          ],
          admin: "127.0.0.1:\(site.adminPort)",
          workers: 1,
          providers: {
            mock: { dialect: "openai", base_url: "http://127.0.0.1:\(site.upstreamPort)/v1", api_key: "sk-bench" },
            claude: {
              dialect: "anthropic", base_url: "http://127.0.0.1:\(site.upstreamPort)/v1", api_key: "sk-bench",
              auth: "header:x-api-key",
            },
            \(site.policies.providers(site))
          },
          \(site.policies.members(site))
          default_provider: "mock",
        }

        """
    }
}
