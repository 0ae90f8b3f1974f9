import Foundation
import SluiceCore
internal import SluiceHTTP
import SluiceJSON
import Testing

@testable import SluiceInject

/// Golden/: what an API server asks, and what it is answered, with the patch laid open.
/// `SLUICE_UPDATE_GOLDEN=1` writes the answers anew: read the difference.
@Suite struct `Golden reviews` {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
    static let isUpdating = ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] == "1"
    static let key = "sk-sluice-0000000000000000000000000000000000000000000000"

    static var names: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".request.json") }.sorted()
        }
    }

    @Test func `are answered as they always were`() throws {
        let names = try Self.names
        #expect(names.count >= 30)
        for name in names {
            let request = try Data(contentsOf: Self.folder.appendingPathComponent(name))
            let answer = try Self.shown(Reviews.answer(Array(request), name.contains("annotated-") ? .annotated : .namespace))
            let file = Self.folder.appendingPathComponent(name.replacingOccurrences(of: ".request.", with: ".response."))
            if Self.isUpdating {
                try answer.write(to: file, atomically: true, encoding: .utf8)
            } else {
                let golden = try Self.text(try JSONSerialization.jsonObject(with: try Data(contentsOf: file)))
                #expect(golden == answer, "\(name):\n\(answer)")
            }
        }
    }

    /// The answer with its patch as JSON, or why there is none.
    static func shown(_ answer: Result<[UInt8], Injector.Malformed>) throws -> String {
        var object: Any
        switch answer {
        case .failure(let malformed): object = ["malformed": malformed.message]
        case .success(let body):
            object = try JSONSerialization.jsonObject(with: Data(body))
            if var review = object as? [String: Any], var response = review["response"] as? [String: Any],
                let patch = (response["patch"] as? String).flatMap({ Data(base64Encoded: $0) })
            {
                response["patch"] = try JSONSerialization.jsonObject(with: patch)
                review["response"] = response
                object = review
            }
        }
        return try text(object)
    }

    /// In one spelling, whoever wrote it.
    private static func text(_ object: Any) throws -> String {
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try JSONSerialization.data(withJSONObject: object, options: options), as: UTF8.self) + "\n"
    }
}

enum Reviews {
    static let injector: Injector = {
        var defaults = SidecarDefaults()
        defaults.image = "registry.example/sluice:0.1.0"
        return Injector(defaults)
    }()

    static func answer(
        _ body: [UInt8], _ scope: Injector.Scope = .namespace, by injector: Injector = injector
    ) -> Result<[UInt8], Injector.Malformed> {
        do throws(Injector.Malformed) {
            let answer = try injector.answer(body.span, scope) { Secret(`Golden reviews`.key) }
            return .success([UInt8](copying: answer.body.span))
        } catch {
            return .failure(error)
        }
    }
}
