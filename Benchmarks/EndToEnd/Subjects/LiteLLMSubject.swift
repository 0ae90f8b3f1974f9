/// The proxy of LiteLLM: one worker and one provider for every model, without a database, telemetry or retries.
///
/// It takes answers apart and writes them anew, as it does for every provider.
struct LiteLLMSubject: Subject {
    let name = "litellm"
    let binary: String
    let startTimeMax = 120 * Clock.second
    let warmUpMin = 4 * Clock.second
    let isVerbatim = false

    var version: String { Program.firstLine(of: [binary, "--version"], containing: "ersion") ?? "unknown" }

    func prepare(_ site: Site) throws(Failure) -> [String] {
        let path = "\(site.directory)/litellm.yaml"
        try Files.write(configuration(site), to: path)
        return [
            "/usr/bin/env", "LITELLM_LOG=ERROR", "LITELLM_LOCAL_MODEL_COST_MAP=True", binary, "--config", path, "--host",
            "127.0.0.1", "--port", "\(site.plainPort)", "--num_workers", "1", "--telemetry", "False",
        ]
    }

    func readiness(_ site: Site) -> (port: UInt16, path: String) { (site.plainPort, "/health/liveliness") }

    private func configuration(_ site: Site) -> String {
        """
        model_list:
          - model_name: "*"
            litellm_params:
              model: "openai/*"
              api_base: "http://127.0.0.1:\(site.upstreamPort)/v1"
              api_key: "sk-bench"
        litellm_settings:
          num_retries: 0
          request_timeout: 600
        general_settings:
          master_key: "\(ChatRequest.key)"
          disable_spend_logs: true

        """
    }
}
