internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy

/// `/limits` of the admin port: every limit with its busiest buckets, and which of them a request of somebody would meet.
final class LimitsEndpoint: AdminRoute {
    let name = "/limits, /limits/explain"
    private let shared: Shared
    /// Buckets of a limit that are shown.
    private static let bucketsMax = 20

    init(shared: Shared) { self.shared = shared }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        let explains = head.path.equals("/limits/explain")
        if !explains, !head.path.equals("/limits") { return false }
        let time = LimitTime(
            now: EventLoop.readClock(), wallSeconds: Int(EventLoop.readWallClock() / 1_000_000_000))
        AdminEndpoint.read(exchange) {
            if !explains { return (200, list(at: time)) }
            let bytes = head.target.span
            let query = bytes.extracting(min(head.path.count + 1, bytes.count)..<bytes.count)
            do throws(FormError) {
                return (200, explain(try URLEncodedForm(query), at: time))
            } catch {
                return (400, ByteBuffer(#"{"error":"The query is malformed."}"#))
            }
        }
        return true
    }

    // MARK: All

    private func list(at time: LimitTime) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 4096)
        var json = JSONWriter(into: buffer)
        let set = shared.current.snapshot.rateLimits
        json.object { json in
            writeScope(&json)
            json.key("limits")
            json.array { json in
                for number in set?.rules.indices ?? 0..<0 {
                    guard let set else { return }
                    let busiest = set.busiest(number, count: Self.bucketsMax, at: time)
                    json.object { json in
                        write(set.rules[number], &json)
                        write(set.counters[number].snapshot, &json)
                        json.member("buckets", busiest.total)
                        json.key("busiest")
                        json.array { json in
                            for bucket in busiest.buckets {
                                json.object { json in
                                    write(bucket.values, of: bucket.rule, &json)
                                    write(bucket.reading, of: bucket.rule, &json)
                                }
                            }
                        }
                    }
                }
            }
        }
        return buffer
    }

    private func writeScope(_ json: inout JSONWriter) {
        json.member("decided", shared.lasting.limits.isLocal ? "local" : "as_configured")
    }

    // MARK: One

    private func explain(_ query: URLEncodedForm, at time: LimitTime) -> ByteBuffer {
        var subject = LimitSubject(
            model: query.text("model") ?? "", route: query.text("route") ?? "/v1/chat/completions",
            provider: query.text("provider") ?? "")
        subject.caller.user = query.text("user")
        subject.caller.key = query.text("key")
        subject.caller.role = query.text("role")
        subject.caller.team = query.text("team")
        subject.caller.businessLine = query.text("business_line")
        subject.caller.address = query.text("address") ?? ""
        func number(_ name: StaticString) -> Int { query.text(name).flatMap { Int($0) } ?? 0 }
        let amounts = LimitAmounts(
            inputTokens: number("input_tokens"), outputTokens: number("output_tokens"), cost: number("cost_micros"))
        let explained = shared.current.snapshot.rateLimits?.explain(subject, amounts, at: time) ?? []
        let buffer = ByteBuffer(capacity: 2048)
        var json = JSONWriter(into: buffer)
        json.object { json in
            writeScope(&json)
            let refusing = explained.filter { $0.verdict != .taken }
            json.member("admitted", refusing.isEmpty)
            json.key("refused_by")
            json.array { json in for one in refusing { json.string(one.rule.name) } }
            json.key("limits")
            json.array { json in
                for one in explained {
                    json.object { json in
                        write(one.rule, &json)
                        write(one.values, of: one.rule, &json)
                        write(one.reading, of: one.rule, &json)
                        write(one.verdict, &json)
                    }
                }
            }
        }
        return buffer
    }

    // MARK: Parts

    private func write(_ rule: LimitRule, _ json: inout JSONWriter) {
        json.member("name", rule.name)
        json.key("kind")
        switch rule.meter.kind {
        case .tokenBucket: json.string("token_bucket")
        case .leakyBucket: json.string("leaky_bucket")
        case .concurrency: json.string("concurrency")
        case .budget(let period, _): json.string("budget_\(period.rawValue)")
        }
        json.member("unit", rule.unit.rawValue)
        json.member("scope", rule.fleet == nil ? "local" : "fleet")
        json.member("limit", rule.meter.limit)
        if !rule.isBudget, rule.meter.kind != .concurrency {
            json.member("period_ms", Int(rule.period.nanoseconds / 1_000_000))
            json.member("burst", rule.meter.burst)
        }
    }

    private func write(_ counts: LimitCounters.Snapshot, _ json: inout JSONWriter) {
        json.member("passed", counts.passed)
        json.member("refused", counts.refused)
        json.member("decided_alone", counts.decidedAlone)
        json.member("settled", counts.settled)
    }

    private func write(_ values: [String], of rule: LimitRule, _ json: inout JSONWriter) {
        json.key("bucket")
        json.object { json in
            for (name, value) in zip(rule.by.names, values) {
                json.key(name.utf8Span.span)
                json.string(value)
            }
        }
    }

    private func write(_ reading: LimitMeter.Reading, of rule: LimitRule, _ json: inout JSONWriter) {
        json.member("used", reading.used)
        json.member("held", reading.held)
        json.member("remaining", reading.remaining)
        json.key("reset_ms")
        if let reset = reading.reset { json.int(Int(reset.nanoseconds / 1_000_000)) } else { json.null() }
    }

    private func write(_ verdict: LimitMeter.Verdict, _ json: inout JSONWriter) {
        json.member("admitted", verdict == .taken)
        guard case .refused(let wait) = verdict else { return }
        json.key("retry_after_ms")
        if let wait { json.int(Int(wait.nanoseconds / 1_000_000)) } else { json.null() }
    }
}
