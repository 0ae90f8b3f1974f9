import Foundation
import Testing

/// What a scrape of `/metrics` says.
struct Exposition {
    /// By name and labels, as they are written.
    private var values: [String: Double] = [:]
    private(set) var text = ""
    /// As `# TYPE` names them.
    private(set) var families: [String: String] = [:]
    private(set) var exemplars: [String: String] = [:]

    init(_ text: String) throws {
        self.text = text
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                try #require(words.count == 4, "\(line)")
                #expect(families.updateValue(String(words[3]), forKey: String(words[2])) == nil, "twice: \(line)")
            }
            if line.hasPrefix("#") { continue }
            let parts = line.components(separatedBy: " # ")
            let space = try #require(parts[0].lastIndex(of: " "), "\(line)")
            let (series, number) = (String(parts[0][..<space]), parts[0][parts[0].index(after: space)...])
            let value = number == "+Inf" ? .infinity : number == "NaN" ? .nan : Double(number)
            #expect(values.updateValue(try #require(value, "\(line)"), forKey: series) == nil, "twice: \(line)")
            if parts.count > 1 { exemplars[series] = parts[1] }
        }
    }

    /// The sum of a name's series that have all of these labels, `name="value"`; 0 if there is none.
    func sum(_ name: String, _ labels: String...) -> Double {
        var sum = 0.0
        for (series, value) in values where series == name || series.hasPrefix(name + "{") {
            if labels.allSatisfy({ series.contains("{\($0)") || series.contains(",\($0)") }) { sum += value }
        }
        return sum
    }

    func series(_ name: String) -> [String] { values.keys.filter { $0 == name || $0.hasPrefix(name + "{") }.sorted() }
}

extension SluiceProcess {
    func scrape(accept: String? = nil) throws -> (reply: HTTPMessage, metrics: Exposition) {
        let wire = try Wire(port: adminPort)
        let field = accept.map { "accept: \($0)\r\n" } ?? ""
        try wire.send("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\(field)\r\n")
        let reply = try wire.readResponse()
        return (reply, try Exposition(reply.text))
    }

    /// Scrapes until it says what is waited for: what is counted at an exchange's end is there a moment after its last byte.
    @discardableResult
    func scrape(until what: String, _ isThere: (Exposition) -> Bool) throws -> Exposition {
        let deadline = Patience.deadline
        while true {
            let metrics = try scrape().metrics
            if isThere(metrics) { return metrics }
            if .now > deadline { throw TimedOut("\(what) in:\n\(metrics.text)") }
            usleep(5000)
        }
    }
}
