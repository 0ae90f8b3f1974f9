import Foundation

/// The `curl` tool: another implementation of HTTP/1.1, HTTP/2 and TLS than any of ours.
struct Curl {
    let status: Int
    /// `1.1`, `2` …
    let version: String
    let body: String
    /// curl's own exit status: 0 for a complete response.
    let exit: Int32
    let errors: String

    static let isThere = Tool.find("curl") != nil

    /// - Parameter arguments: besides those that print what is in the result.
    init(_ url: String, _ arguments: [String] = []) throws {
        let format = "\n%{http_code} %{http_version}"
        let outcome = try Tool.run("curl", ["-sS", "--max-time", "20", "--noproxy", "*", "-w", format] + arguments + [url])
        let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
        let words = lines.last?.split(separator: " ") ?? []
        status = words.first.flatMap { Int($0) } ?? 0
        version = words.count > 1 ? String(words[1]) : ""
        body = lines.dropLast().joined(separator: "\n")
        exit = outcome.status
        errors = outcome.errors
    }

    /// Arguments that post JSON, with the application's credential.
    static func posting(_ body: String) -> [String] {
        ["-H", "content-type: application/json", "-H", "authorization: Bearer \(Secrets.application)", "-d", body]
    }
}
