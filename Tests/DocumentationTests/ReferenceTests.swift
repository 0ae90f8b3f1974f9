import Foundation
import SluiceConfig
import Testing

/// `SLUICE_UPDATE_GOLDEN=1` writes the generated parts anew: read the difference.
@Suite struct `The configuration reference` {
    private static let path = "\(Repository.documentation)/ConfigurationReference.md"

    @Test func `says what the code reads`() throws {
        let page = try Repository.text(Self.path)
        var wanted = Self.replace("settings", in: page, with: Self.settings)
        wanted = Self.replace("providers", in: wanted, with: Self.providers)
        if ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] == "1" {
            try wanted.write(to: Repository.url(Self.path), atomically: true, encoding: .utf8)
        } else {
            #expect(page == wanted, "out of date: run this test with SLUICE_UPDATE_GOLDEN=1 and read the difference")
        }
    }

    private static var settings: String {
        ConfigReference.describe { _ = ServerConfiguration.read($0) }.markdown()
    }

    private static var providers: String {
        var text = "| name | provider | base URL | key | base URL from | models |\n| --- | --- | --- | --- | --- | --- |\n"
        for entry in Catalogue.providers {
            func code(_ words: [String], unlessConfirmed name: String) -> String {
                words.map { "`\($0)`" }.joined(separator: ", ") + (entry.unverified.contains(name) ? " ?" : "")
            }
            let cells = [
                "`\(entry.name)`", entry.title, "`\(entry.baseURL)`", code(entry.keyVariables, unlessConfirmed: "key_variables"),
                code(entry.baseURLVariables, unlessConfirmed: "base_url_variables"), code(entry.models, unlessConfirmed: "models"),
            ]
            text += "| " + cells.joined(separator: " | ") + " |\n"
        }
        return text
    }

    /// The page with another text between a marker and its end.
    private static func replace(_ marker: String, in page: String, with text: String) -> String {
        let (start, end) = ("<!-- generated: \(marker) -->\n", "<!-- end -->")
        guard let from = page.range(of: start), let to = page.range(of: end, range: from.upperBound..<page.endIndex) else {
            Issue.record("\(path) has no part \(marker)")
            return page
        }
        return page.replacingCharacters(in: from.upperBound..<to.lowerBound, with: "\n\(text)\n")
    }
}
