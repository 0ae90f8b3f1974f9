import Foundation

/// The files of the repository, as they lie beside these tests.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let documentation = "Sources/SluiceServer/Documentation.docc"

    static func url(_ path: String) -> URL { root.appendingPathComponent(path) }
    static func text(_ path: String) throws -> String { try String(contentsOf: url(path), encoding: .utf8) }
    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: url(path).path) }

    /// Paths of all files below a folder, relative to the root.
    static func files(below folder: String, ending suffix: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: url(folder).path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(suffix) }.map { "\(folder)/\($0)" }.sorted()
    }

    /// The README, and the pages of the documentation.
    static var pages: [String] { ["README.md"] + files(below: documentation, ending: ".md") }
}

/// A page of Markdown, as far as the tests look at it.
struct Page {
    let path: String
    let text: String

    init(_ path: String) throws {
        self.path = path
        text = try Repository.text(path)
    }

    /// The blocks of code in a language: what stands between ```` ```language ```` and ```` ``` ````.
    func blocks(_ language: String) -> [String] {
        var blocks: [String] = []
        var current: [Substring]?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let lines = current {
                if line.hasPrefix("```") {
                    blocks.append(lines.joined(separator: "\n"))
                    current = nil
                } else {
                    current = lines + [line]
                }
            } else if line == "```\(language)" {
                current = []
            }
        }
        return blocks
    }

    /// What `[text](destination)` leads to.
    var links: [String] { text.matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) } }

    /// What `<doc:Name>` leads to.
    var articles: [String] { text.matches(of: /<doc:([^>]+)>/).map { String($0.1) } }

    /// Words in back-ticks.
    var quoted: Set<String> { Set(text.matches(of: /`([^`\n]+)`/).map { String($0.1) }) }
}
