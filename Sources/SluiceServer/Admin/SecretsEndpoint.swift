internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePipeline
internal import SluiceStorage
internal import SluiceTLS

/// `/secrets` of the admin port: which master keys there are, by name, and how far a rotation has come. Nothing secret.
final class SecretsEndpoint: AdminRoute {
    let name = "/secrets"
    private let shared: Shared
    private let rotate: () -> Void
    private let sealedSettings: () -> [Named<SecretKeyID>]

    /// - Parameters:
    ///   - sealedSettings: of the configuration in force.
    ///   - rotate: fetches keys and reads the configuration again.
    init(_ shared: Shared, sealedSettings: @escaping () -> [Named<SecretKeyID>], rotate: @escaping () -> Void) {
        self.shared = shared
        self.sealedSettings = sealedSettings
        self.rotate = rotate
    }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        if head.path.equals("/secrets/rotate") {
            if !mayChange(exchange) { return true }
            rotate()
            AdminEndpoint.send(202, #"{"status":"started"}"#, to: exchange)
            return true
        }
        if !head.path.equals("/secrets") { return false }
        read(exchange) {
            let lasting = shared.lasting
            return Self.report(lasting.vault.keyIDs, sealedSettings(), lasting.rotation.report)
        }
        return true
    }

    static func report(
        _ keys: [SecretKeyID], _ settings: [Named<SecretKeyID>], _ rotation: SecretRotation.Report
    ) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("current")
            if let current = keys.first { json.string("\(current)") } else { json.null() }
            json.key("keys")
            json.array { json in
                for key in keys { write(key, isCurrent: key == keys.first, settings, rotation, &json) }
            }
            json.key("rotation")
            json.object { json in
                json.key("running")
                json.bool(rotation.isRunning)
                json.key("key")
                if let key = rotation.key { json.string("\(key)") } else { json.null() }
                json.key("stores")
                json.array { json in for store in rotation.stores { write(store, &json) } }
            }
        }
        return buffer
    }

    private static func write(
        _ key: SecretKeyID, isCurrent: Bool, _ settings: [Named<SecretKeyID>], _ rotation: SecretRotation.Report,
        _ json: inout JSONWriter
    ) {
        let used = settings.filter { $0.value == key }.map(\.name)
        json.object { json in
            json.key("id")
            json.string("\(key)")
            json.key("current")
            json.bool(isCurrent)
            json.key("settings")
            json.array { json in for name in used { json.string(name) } }
            json.key("stored")
            json.int(rotation.stores.reduce(0) { $0 + ($1.keys[key] ?? 0) })
            json.key("droppable")
            json.bool(!isCurrent && used.isEmpty && !rotation.isRunning && rotation.isUnused(key))
        }
    }

    private static func write(_ store: SecretRotation.Store, _ json: inout JSONWriter) {
        let counts: [(StaticString, Int)] = [
            ("looked_at", store.lookedAt), ("moved", store.moved), ("unreadable", store.unreadable),
        ]
        json.object { json in
            json.key("name")
            json.string(store.name)
            json.key("state")
            json.string(store.state.rawValue)
            for (name, count) in counts {
                json.key(name)
                json.int(count)
            }
            json.key("error")
            if let error = store.error { json.string(error) } else { json.null() }
        }
    }
}
