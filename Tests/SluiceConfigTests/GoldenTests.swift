import Foundation
import SluiceConfig
import SluiceCore
import TestSupport
import Testing

/// Golden/: a configuration, a rule, and what comes of it: its mistakes, or else what holds in effect.
/// `SLUICE_UPDATE_GOLDEN=1` writes the files anew: read the difference.
@Suite struct `Golden configurations` {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
    static let isUpdating = ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] == "1"
    static let rule = "\n----------\n"
    static let secret = "sk-golden-secret"
    static let environment = ConfigEnvironment.fixed(
        variables: ["KEY": secret, "PORT": "4444", "OPENAI_API_KEY": secret, "BROKEN": "\u{7}"],
        files: [
            "/tls/cert.pem": Array("CERT".utf8), "/tls/key.pem": Array("KEY".utf8),
            "/run/key": Array((secret + "\n").utf8),
        ])

    @Test func `come out as they always did`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter {
            $0.hasSuffix(".txt")
        }.sorted()
        #expect(names.count >= 10)
        for name in names {
            let file = Self.folder.appendingPathComponent(name)
            let text = try String(contentsOf: file, encoding: .utf8)
            let parts = text.split(separator: Self.rule, maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            let outcome = Self.outcome(of: parts[0])
            #expect(!outcome.contains("golden-secret"), "\(name)")
            if Self.isUpdating {
                try (parts[0] + Self.rule + outcome + "\n").write(to: file, atomically: true, encoding: .utf8)
            } else {
                #expect(parts.count == 2 && parts[1] == outcome + "\n", "\(name):\n\(outcome)")
            }
        }
    }

    static func outcome(of text: String) -> String {
        do {
            return try ServerConfiguration.load(text: Array(text.utf8), environment: environment).effective.json()
        } catch {
            return error.description
        }
    }

    @Test func `may be changed in any way: the answer is mistakes or settings, and never shows a secret`() throws {
        let file = Self.folder.appendingPathComponent("02-everything.txt")
        let text = try String(contentsOf: file, encoding: .utf8).replacing("golden-secret", with: "x")
        let original = Array((text.components(separatedBy: Self.rule).first ?? "").utf8)
        let values = [
            "${KEY}", "'file:/run/key'", "null", "-1", "[]", "{}", "1e9", "'*:1'", "\"${PORT}\"", ",", ":", "}", "a: ",
        ].map { Array($0.utf8) }
        for seed in SplitMix64.seeds(400) {
            var random = SplitMix64(seed)
            var bytes = original
            for _ in 0...Int.random(in: 0..<3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                let length = Int.random(in: 0...min(12, bytes.count - at), using: &random)
                bytes.replaceSubrange(at..<(at + length), with: values.randomElement(using: &random)!)
            }
            let outcome = Self.outcome(of: String(decoding: bytes, as: UTF8.self))
            #expect(!outcome.isEmpty && !outcome.contains("golden-secret"), "seed \(seed): \(outcome)")
        }
    }

    @Test func `have a reference that the reading code wrote`() throws {
        let reference = ConfigReference.describe { _ = ServerConfiguration.read($0) }
        let file = Self.folder.appendingPathComponent("Reference.md")
        if Self.isUpdating {
            try reference.markdown().write(to: file, atomically: true, encoding: .utf8)
        } else {
            #expect(try String(contentsOf: file, encoding: .utf8) == reference.markdown())
        }
        for section in reference.sections {
            for field in section.fields {
                #expect(field.doc.hasSuffix("."), "\(section.path) \(field.key): a sentence")
            }
        }
    }
}
