extension MetricText.Format {
    /// What the field `Accept` of a scrape prefers (RFC 9110 §12.5.1): OpenMetrics only for who names it, in a version that there is;
    /// the older format for all others. Who asks for neither gets the older one: a scrape that fails shows nobody anything.
    ///
    /// - Parameter accept: the field's value; `nil` without one. Several fields make one list.
    package static func preferred(by accept: String?) -> Self {
        var openMetrics: Double = 0
        var text: Double = 0
        for range in (accept ?? "").split(separator: ",").prefix(rangesMax) {
            let range = MediaRange(range)
            switch range.type {
            case "application/openmetrics-text":
                if isOpenMetrics(range.version) { openMetrics = max(openMetrics, range.weight) }
            case "text/plain":
                if range.version == nil || range.version == "0.0.4" { text = max(text, range.weight) }
            default: continue
            }
        }
        return openMetrics > 0 && openMetrics >= text ? .openMetrics : .prometheus
    }

    /// What nobody asks for that many of is not read on.
    private static var rangesMax: Int { 64 }

    /// What 1.0 changed is nothing that a reader of 0.0.1 does not understand.
    private static func isOpenMetrics(_ version: String?) -> Bool {
        switch version {
        case nil, "1.0.0", "0.0.1": true
        default: false
        }
    }

    private struct MediaRange {
        let type: String
        var version: String?
        var weight = 1.0

        init(_ text: Substring) {
            var parts = text.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
            type = parts.removeFirst().lowercased()
            for part in parts {
                guard let equals = part.firstIndex(of: "=") else { continue }
                let value = part[part.index(after: equals)...].filter { $0 != "\"" }
                switch Self.trimmed(part[..<equals]).lowercased() {
                case "version": version = Self.trimmed(value[...])
                case "q": weight = Double(Self.trimmed(value[...])).map { $0.isFinite ? min(max($0, 0), 1) : 1 } ?? 1
                default: continue
                }
            }
        }

        private static func trimmed(_ text: Substring) -> String {
            var text = text.drop { $0 == " " || $0 == "\t" }
            while let last = text.last, last == " " || last == "\t" { text.removeLast() }
            return String(text)
        }

        private static func trimmed(_ text: String) -> String { trimmed(text[...]) }
    }
}
