/// What `sluice mock --help` says about behaviours; made from the list of words that the parser knows.
package enum MockHelp {
    /// Words that have a flag of their own: the flag's name, what stands for its value, and what it does.
    package static var flags: [(name: String, value: String?, doc: String)] {
        BehaviourKey.allCases.filter(\.isFlag).map { ($0.rawValue, $0.value, $0.doc) }
    }

    package static var details: String {
        """
        Behaviour
          A request behaves as the flags say, unless its model's name says otherwise, unless its x-mock header does:
            model   gpt-mock+latency-ms=50+tokens=20+cut=0.66      any name, then words joined by +
            header  x-mock: status=503, retry-after=2, times=1     words joined by commas
            flag    --fault status=503,retry-after=2,times=1       words joined by commas
          Values are percent-decoded. Where a place names a fault, the faults of the places before it do not count.
          A model is any name but "missing", which is not found. Without a word about content the last user message is echoed.

        Words
        \(table(BehaviourKey.allCases))
          bench-delay-MS, bench-burst-N, bench-paced-N-MS and bench-silent are models that the benchmark uses.

        Endpoints
          /v1: chat/completions, completions, responses, embeddings, moderations, images/generations, images/edits, audio/speech,
          audio/transcriptions, audio/translations, files, uploads, batches, models
          GET /mock/requests?limit=N   the last requests, with headers, body and what became of them
          GET /mock/counts             by model and by the end of the key: requests, attempts, answered, failed, cancelled and after how many milliseconds
          POST /mock/reset             forget all that, and files, uploads, batches and responses
          GET /health                  answers 200

        Other providers
          Each speaks its own dialect under its name: point a base URL at http://127.0.0.1:4020/NAME instead of at its host.
            \(wrapped(DialectTable.prefixes.sorted()))
          Of bedrock, gemini, vertex, azure and baidu-v1 the model in the path, of spark-ws the domain, says the behaviour.

        \(MockCredentials.help)

        Examples
          sluice mock --token-rate 50 --first-token-ms 300 --jitter 0.5
          sluice mock --fault status=429,retry-after=1,flap=5
          curl http://127.0.0.1:4020/v1/chat/completions -H 'content-type: application/json' -H 'x-mock: cut=0.66' \\
            -d '{"model":"gpt-mock+tokens=60","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

        """
    }

    /// Names in lines of a few.
    private static func wrapped(_ names: [String]) -> String {
        stride(from: 0, to: names.count, by: 12).map { start in
            names[start..<min(start + 12, names.count)].joined(separator: ", ")
        }.joined(separator: ",\n    ")
    }

    private static func table(_ keys: [BehaviourKey]) -> String {
        let rows = keys.map { key in
            let value = key.value.map { $0.hasPrefix("[") ? "[=" + $0.dropFirst() : "=" + $0 } ?? ""
            return (key.rawValue + value, key.doc)
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { "  \($0.0)\(String(repeating: " ", count: width - $0.0.count))  \($0.1)" }.joined(
            separator: "\n")
    }
}
