import Foundation
import Testing

@Suite struct `The tree` {
    @Test func `has nothing at its top but what belongs there`() throws {
        let allowed: Set = ["Package.swift", "Sources", "Tests", "Benchmarks", "k8s", "Dockerfile", "README.md"]
        let names = try FileManager.default.contentsOfDirectory(atPath: Repository.root.path)
        #expect(names.filter { !$0.hasPrefix(".") && !allowed.contains($0) && $0 != "Package.resolved" } == [])
        #expect(names.contains("README.md"))
    }

    @Test func `has sources in the house's style`() throws {
        let files = Repository.files(below: "Sources", ending: ".swift")
        #expect(files.count > 200)
        for path in files {
            let text = try Repository.text(path)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(!text.contains(/\b(TODO|FIXME|XXX)\b/), "\(path)")
            #expect(!text.contains(/import Foundation/), "\(path)")
            #expect(lines.count <= 300, "\(path): \(lines.count) lines")
            #expect(!lines.contains { $0.last == " " }, "\(path): a space at the end of a line")
        }
    }

    @Test func `has scripts that can be run`() {
        for path in [".sluice/setup", ".sluice/run", ".sluice/test", ".ci/run", "Benchmarks/run", "Tests/run", "Tests/tools"] {
            #expect(FileManager.default.isExecutableFile(atPath: Repository.url(path).path), "\(path)")
        }
    }
}
