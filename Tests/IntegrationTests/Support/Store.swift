import Foundation

/// A directory for what a Sluice keeps.
final class Store {
    static let secret = "shared-\(Secrets.mark)-0123456789abcdef0123456789abcdef"
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sluice-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Whether a text stands anywhere in its files.
    func contains(_ text: String) throws -> Bool {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            guard let data = FileManager.default.contents(atPath: path + "/" + name) else { continue }
            if data.range(of: Data(text.utf8)) != nil { return true }
        }
        return false
    }

    /// Puts something else in the place of the database.
    func damage(_ content: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            try FileManager.default.removeItem(atPath: path + "/" + name)
        }
        try Data(content.utf8).write(to: URL(fileURLWithPath: path + "/sluice.db"))
    }
}

/// A value that several threads of a test change.
final class Mutexed<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var inner: Value

    init(_ value: Value) { inner = value }

    var value: Value { lock.withLock { inner } }
    func change(_ body: (inout Value) -> Void) { lock.withLock { body(&inner) } }
}

extension SluiceProcess {
    /// A request to the management API, on the first listener.
    func api(_ method: String, _ path: String, _ body: String = "", _ fields: [String] = []) throws -> HTTPMessage {
        var fields = fields
        if !body.isEmpty, !fields.contains(where: { $0.hasPrefix("content-type:") }) {
            fields.append("content-type: application/json")
        }
        return try connect().exchange(method, path, fields, body.isEmpty ? nil : body)
    }
}
