internal import SluiceCore
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluiceProviders
internal import SluiceUpstream

/// What the admin port says of providers: nothing that is secret.
enum ProviderReport {
    static func list(_ shared: Shared) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("providers")
            json.array { json in
                for provider in shared.current.snapshot.providers.values.sorted(by: { $0.name < $1.name }) {
                    write(provider, shared, &json)
                }
            }
        }
        return buffer
    }

    static func one(_ provider: Provider, _ shared: Shared) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 512)
        var json = JSONWriter(into: buffer)
        write(provider, shared, &json)
        return buffer
    }

    private static func write(_ provider: Provider, _ shared: Shared, _ json: inout JSONWriter) {
        let listed = shared.directory.models(of: provider.name).count
        json.object { json in
            json.key("name")
            json.string(provider.name)
            json.key("dialect")
            json.string(provider.dialect.rawValue)
            json.key("adapter")
            if provider.adaptation.name.isEmpty { json.null() } else { json.string(provider.adaptation.name) }
            json.key("base_url")
            json.string(baseURL(provider))
            json.key("models")
            json.int(listed > 0 ? listed : provider.models.count)
            json.key("keys")
            writeKeys(provider.keys, &json)
            json.key("last")
            if let last = shared.probes[provider.name] { write(last, &json) } else { json.null() }
        }
    }

    private static func baseURL(_ provider: Provider) -> String {
        let scheme = provider.chat.framing == .webSocketMessages ? "ws" : "http"
        return scheme + (provider.endpoint.isTLS ? "s" : "") + "://"
            + String(decoding: provider.endpoint.authority, as: UTF8.self)
            + String(decoding: provider.basePath, as: UTF8.self)
    }

    private static func writeKeys(_ keys: KeyRing, _ json: inout JSONWriter) {
        let now = EventLoop.readClock()
        json.object { json in
            json.key("count")
            json.int(keys.credentials.count)
            json.key("set_aside")
            json.array { json in
                for aside in keys.current(at: now) {
                    json.object { json in
                        json.key("index")
                        json.int(aside.index)
                        json.key("reason")
                        json.string(aside.reason.rawValue)
                        json.key("seconds_left")
                        json.int(Int((aside.until - now).nanoseconds / 1_000_000_000))
                    }
                }
            }
        }
    }

    private static func write(_ result: ProbeResult, _ json: inout JSONWriter) {
        json.object { json in
            json.key("verdict")
            json.string(result.verdict.rawValue)
            json.key("reason")
            json.string(result.reason)
            json.key("asked")
            json.string(result.question)
            json.key("latency_ms")
            json.int(Int(result.latency.nanoseconds / 1_000_000))
            json.key("at")
            json.int(result.seconds)
        }
    }
}
