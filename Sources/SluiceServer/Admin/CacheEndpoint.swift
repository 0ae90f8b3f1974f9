internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceStorage

/// `/cache` of the admin port: what is kept and how often it helped, and `/cache/purge` to have it forgotten.
final class CacheEndpoint: AdminRoute {
    let name = "/cache"
    private let shared: Shared
    private static let bodyByteCountMax = 65_536
    /// As many digits as replies and logs show.
    private static let keyDigits = 16
    private static let usage =
        #"{"error":"Send one of {\"key\":…}, {\"model\":…}, {\"scene\":…}, {\"tenant\":…} or {\"all\":true}."}"#

    init(shared: Shared) { self.shared = shared }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        let path = head.path
        if path.equals("/cache") {
            read(exchange, report)
        } else if path.equals("/cache/purge") {
            if mayChange(exchange) { exchange.loop.spawn { [self] in await purge(exchange) } }
        } else {
            return false
        }
        return true
    }

    // MARK: Purging

    private func purge(_ exchange: DownstreamExchange) async {
        guard let body = try? await exchange.collectBody(atMost: Self.bodyByteCountMax), let target = target(body)
        else {
            return AdminEndpoint.send(400, Self.usage, to: exchange)
        }
        let time = Int(EventLoop.readWallClock() / 1_000_000)
        let cache = shared.lasting.cache
        let count = cache.purge(target, at: time, now: time)
        cache.announce(target, at: time)
        shared.events.event(.info, "cache purged") { line in
            line.field("sluice.cache.purged", target.text)
            line.field("sluice.cache.entries", count)
        }
        let buffer = ByteBuffer(capacity: 64)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.member("purged", count)
        }
        AdminEndpoint.send(200, buffer, to: exchange)
    }

    /// - Returns: `nil` unless exactly one thing is said.
    private func target(_ body: ByteBuffer) -> PurgeTarget? {
        let tape = JSONTape()
        guard (try? tape.scan(body.span)) != nil else { return nil }
        let root = tape.root(over: body.span)
        if root.count != 1 { return nil }
        if root["all"]?.bool == true { return .all }
        if let key = root["key"]?.string {
            return key.utf8.count >= Self.keyDigits ? .key(String(key.lowercased().prefix(Self.keyDigits))) : nil
        }
        if let model = root["model"]?.string { return .model(model) }
        if let scene = root["scene"]?.string, !scene.isEmpty { return .scene(scene) }
        if let tenant = root["tenant"]?.string, !tenant.isEmpty { return .tenant(tenant) }
        return nil
    }

    // MARK: Report

    private func report() -> ByteBuffer {
        let cache = shared.lasting.cache
        let counters = cache.counters.snapshot
        let buffer = ByteBuffer(capacity: 768)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.member("enabled", shared.current.snapshot.cache != nil)
            json.key("memory")
            Self.write(cache.memory, &json)
            json.key("requests")
            json.object { json in
                let counts: [(StaticString, Int)] = [
                    ("memory_hits", counters.memoryHits), ("redis_hits", counters.redisHits),
                    ("joined", counters.joined),
                    ("stale", counters.stale), ("misses", counters.misses), ("bypassed", counters.bypassed),
                ]
                for (name, count) in counts {
                    json.key(name)
                    json.int(count)
                }
            }
            json.member("stored", counters.stored)
            json.member("not_kept", counters.refused)
            json.member("redis_unreadable", counters.unreadable)
            json.member("in_flight", shared.lasting.flights.count)
            json.key("idempotency")
            Self.write(cache.replies, &json)
        }
        return buffer
    }

    private static func write(_ memory: MemoryCache, _ json: inout JSONWriter) {
        let usage = memory.usage
        json.object { json in
            json.member("entries", usage.entryCount)
            json.member("bytes", usage.byteCount)
            json.member("bytes_max", memory.byteCountMax)
            json.member("evictions", usage.evictionCount)
        }
    }
}
