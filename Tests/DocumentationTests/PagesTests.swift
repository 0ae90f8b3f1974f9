import Foundation
import SluiceConfig
import Testing

@Suite struct `The documentation` {
    @Test func `has links that lead somewhere`() throws {
        var count = 0
        for path in Repository.pages {
            let page = try Page(path)
            let folder = (path as NSString).deletingLastPathComponent
            for link in page.links where !link.hasPrefix("https://") {
                let file = String(link.prefix { $0 != "#" })
                let target = ((folder as NSString).appendingPathComponent(file) as NSString).standardizingPath
                #expect(file.isEmpty || Repository.exists(target), "\(path): \(link)")
                count += 1
            }
            for article in page.articles {
                #expect(Repository.exists("\(Repository.documentation)/\(article).md"), "\(path): \(article)")
                count += 1
            }
        }
        #expect(count > 20)
    }

    @Test func `shows configurations that are valid`() throws {
        let environment = ConfigEnvironment.fixed(
            variables: Dictionary(
                uniqueKeysWithValues: Set(AdapterLibrary.builtIn.adapters.flatMap(\.keyVariables)).map { ($0, "sk-test") }),
            files: Dictionary(
                uniqueKeysWithValues: (Self.secretFiles + [
                    "/run/secrets/openai-second", "/run/secrets/introspection", "/run/secrets/pepper", "/run/secrets/console-key", "/run/secrets/ann-key", "/run/secrets/house", "/etc/sluice/tls.crt", "/etc/sluice/tls.key",
                    "/etc/sluice/clients.crt", "/etc/sluice/house-ca.crt", "/etc/sluice/sidecar.crt",
                    "/etc/sluice/sidecar.key",
                ]).map { ($0, Array(($0.hasSuffix("-key") ? "a-key-that-nobody-guesses" : String(repeating: "x", count: 40)).utf8)) }
                    + [("/etc/sluice/keys/master", Self.masterKey)]))
        var count = 0
        for path in Repository.pages {
            for text in try Page(path).blocks("json5") {
                #expect(throws: Never.self, "\(path)") {
                    try ServerConfiguration.load(text: Array(text.utf8), environment: environment)
                }
                count += 1
            }
        }
        #expect(count >= 4)
    }

    private static let masterKey = Array("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA".utf8)

    /// Secrets of recipes, as the pages of the providers name them.
    private static let secretFiles = Set(AuthRecipe.allCases.flatMap(\.settings).filter(\.isSecret).map(\.name) + ["api_key"])
        .map { "/run/secrets/\($0)" }

    @Test func `shows adapters that are valid`() throws {
        var count = 0
        for path in Repository.pages {
            for text in try Page(path).blocks("json5-adapter") {
                #expect(throws: Never.self, "\(path)") {
                    try Adapter.read(text: Array(text.utf8), environment: .fixed())
                }
                count += 1
            }
        }
        #expect(count >= 8)
    }

    @Test func `shows JSON that is JSON`() throws {
        for path in Repository.pages {
            for text in try Page(path).blocks("json") {
                #expect(throws: Never.self, "\(path)") { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
            }
        }
    }

    @Test(arguments: [
        "README.md", "\(Repository.documentation)/README-zh.md", "\(Repository.documentation)/Developing.md",
    ])
    func `names commands and folders that exist`(path: String) throws {
        let page = try Page(path)
        let commands = page.blocks("sh").joined(separator: "\n").matches(
            of: /(?:\.sluice|\.ci|Benchmarks|Tests)\/[\w\/]+/)
        let quoted = page.quoted.filter {
            $0.wholeMatch(of: /(?:\.sluice|\.ci|Benchmarks|Tests|Sources)(?:\/[\w.\/]+)?|Dockerfile/) != nil
        }
        #expect(!commands.isEmpty)
        for name in Set(commands.map { String($0.0) }) {
            #expect(FileManager.default.isExecutableFile(atPath: Repository.url(name).path), "\(path): \(name)")
        }
        for name in quoted { #expect(Repository.exists(name), "\(path): \(name)") }
    }

    @Test func `explains every field and message of the log`() throws {
        let quoted = try Page("\(Repository.documentation)/Operating.md").quoted.union(
            try Page("\(Repository.documentation)/Management.md").quoted
        ).union(try Page("\(Repository.documentation)/Kubernetes.md").quoted)
        var count = 0
        for path in Repository.files(below: "Sources", ending: ".swift") where !path.contains("SluiceMock") {
            let text = try Repository.text(path)
            let fields = text.matches(of: /\.field\("([^"]+)"/).map { String($0.1) }
            let messages = text.matches(of: /(?:event\(\.\w+|failed\(|LogLine\(\.\w+), ?"([^"]+)"|failed\("([^"]+)"/)
                .compactMap { ($0.1 ?? $0.2).map(String.init) }
            for word in fields { Self.expect(word, in: quoted, path) }
            for word in messages where word != "exchange" { Self.expect(word, in: quoted, path) }
            count += fields.count + messages.count
        }
        #expect(count > 50)
    }

    /// Without the whole set in the failure's message.
    private static func expect(_ word: String, in quoted: Set<String>, _ source: String) {
        let isExplained = quoted.contains(word)
        #expect(isExplained, "\(source): \(word)")
    }

    @Test func `explains every error`() throws {
        let quoted = try Page("\(Repository.documentation)/HTTPAPI.md").quoted
        var codes: Set<String> = []
        for path in Repository.files(below: "Sources/SluicePipeline", ending: ".swift") {
            codes.formUnion(try Repository.text(path).matches(of: /code: "([a-z_]+)"/).map { String($0.1) })
        }
        let causes = try Repository.text("Sources/SluicePipeline/Rejection+Causes.swift")
        codes.formUnion(causes.matches(of: /case \.\w+: "([a-z_]+)"/).map { String($0.1) })
        let early = try Repository.text("Sources/SluiceDownstream/ProtocolErrorReply.swift")
        codes.formUnion(early.matches(of: /case \d+: "([a-z_]+)"/).map { String($0.1) })
        #expect(codes.count > 30)
        for code in codes where code != "client_closed_request" { Self.expect(code, in: quoted, "errors") }
    }

    @Test func `explains every error of the management API`() throws {
        let quoted = try Page("\(Repository.documentation)/Management.md").quoted
        let text = try Repository.text("Sources/SluiceServer/Management/ManagementError.swift")
        let spelled = text.matches(of: /case \w+ = "([a-z_]+)"/).map { String($0.1) }
        #expect(spelled.count > 20)
        for code in spelled { Self.expect(code, in: quoted, "errors") }
    }

    @Test func `explains every option of run`() throws {
        let text = try Repository.text("\(Repository.documentation)/Operating.md")
        let tool = try Repository.text("Sources/SluiceServer/Commands/CommandLineTool.swift")
        let options = tool.matches(of: /\.init\(\s*"([a-z]+)",(?:\s*"[A-Z]+",)?(?:\s*isRepeatable: true,)?\s*doc:/).map {
            String($0.1)
        }
        #expect(options.count >= 6)
        for option in options {
            let isExplained = text.contains("`--\(option)")
            #expect(isExplained, "--\(option)")
        }
    }
}
