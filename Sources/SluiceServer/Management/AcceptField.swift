internal import SluiceHTTP

/// What `Accept` says of media types (RFC 9110 §12.5.1). Only whether: there is one form of most things.
enum AcceptField {
    static func allows(_ mediaType: String, _ fields: HeaderFields) -> Bool {
        guard let text = fields.text(.accept) else { return true }
        let type = mediaType.prefix { $0 != "/" }
        var bestPrecision = -1
        var isAllowed = false
        for range in text.split(separator: ",") {
            var parts = range.split(separator: ";").map { trimmed($0).lowercased() }
            if parts.isEmpty { continue }
            let name = parts.removeFirst()
            let precision = name == mediaType ? 2 : name == "\(type)/*" ? 1 : name == "*/*" ? 0 : -1
            if precision <= bestPrecision { continue }
            bestPrecision = precision
            isAllowed = !parts.contains { $0.hasPrefix("q=") && (Double($0.dropFirst(2)) ?? 1) <= 0 }
        }
        return isAllowed
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
