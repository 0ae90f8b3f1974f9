internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

/// Finds out whether a provider is well, with each of its keys. Off the workers, which learn of a key that is refused or spent.
struct ProviderProbe {
    let client: ProviderClient
    let provider: Provider
    /// Keys beyond that are not tried.
    private static let keysMax = 16

    /// - Parameter spendsTokens: whether the provider may be asked for an answer, which costs a little.
    /// - Returns: the worst that one of the keys met with.
    func run(spendsTokens: Bool) async -> ProbeResult {
        let keys: [Int?] = provider.keys.isEmpty ? [nil] : Array(provider.keys.credentials.indices.prefix(Self.keysMax))
        let question = ProbeQuestion(provider, spendsTokens: spendsTokens)
        var worst: ProbeResult?
        for key in keys {
            var (result, reply) = await ask(question, key: key)
            // Not every server has the list that others of its kind have.
            if question.isGet, let code = reply?.head.status.code, code == 404 || code == 405 {
                result = await ask(.emptyChat, key: key).result
            }
            // A token that was kept may have been withdrawn: only a fresh one proves that the key is refused.
            if result.verdict == .keyRefused, let shown = reply, let tokens = provider.signer(key)?.tokens {
                tokens.forget(ofRenewals: shown.tokenRenewals)
                result = await ask(question, key: key).result
            }
            if let key, let reason = result.keyReason {
                provider.keys.setAside(key, reason, at: EventLoop.readClock())
            }
            if keys.count > 1, let key, result.verdict != .reachable {
                result.reason = "key \(key + 1) of \(keys.count): \(result.reason)"
            }
            if worst.map({ $0.verdict < result.verdict }) ?? true { worst = result }
            if result.verdict == .failed { break }
        }
        return worst
            ?? ProbeResult(
                verdict: .failed, reason: "there is nothing to ask", question: question.name, latency: .zero, seconds: 0
            )
    }

    /// Asks for the list of models, with the next key in turn.
    func list() async -> (result: ProbeResult, reply: ProviderClient.Reply?) {
        await ask(.get(path: provider.adaptation.path(.models)), key: provider.keys.next(at: EventLoop.readClock()))
    }

    private func ask(
        _ question: ProbeQuestion, key: Int?
    ) async -> (result: ProbeResult, reply: ProviderClient.Reply?) {
        let start = EventLoop.readClock()
        var verdict: (ProbeResult.Verdict, String)
        var keyReason: KeyRing.Reason?
        var reply: ProviderClient.Reply?
        do {
            let request = try question.request(provider, key: key)
            let answer = try await client.send(request, to: provider, key: key)
            reply = answer
            let judge = ProbeVerdict(provider: provider, question: question)
            verdict = judge.judge(answer)
            keyReason = judge.keyReason(answer)
        } catch let refusal as EncodingRefusal {
            verdict = (.failed, refusal.message)
        } catch let error as UpstreamError {
            verdict = (error.reason == .tokenRefused ? .keyRefused : .failed, error.detail)
            if error.reason == .tokenRefused { keyReason = .refused }
        } catch {
            verdict = (.failed, "\(error)")
        }
        let result = ProbeResult(
            verdict: verdict.0, reason: verdict.1, question: question.name, latency: EventLoop.readClock() - start,
            seconds: Int(EventLoop.readWallClock() / 1_000_000_000), keyReason: keyReason)
        return (result, reply)
    }
}

/// What an answer to a probe means.
struct ProbeVerdict {
    let provider: Provider
    let question: ProbeQuestion
    private static let reasonBytesMax = 300

    init(provider: Provider, question: ProbeQuestion) {
        self.provider = provider
        self.question = question
    }

    func judge(_ reply: ProviderClient.Reply) -> (ProbeResult.Verdict, String) {
        let status = reply.head.status
        if status == 101 { return (.reachable, "it opened a WebSocket") }
        let tape = JSONTape()
        let isJSON = (try? tape.scan(reply.body.span)) != nil
        let health = question.isGet && provider.adaptation.health?.method == "GET" ? provider.adaptation.health : nil
        guard health?.statuses.contains(Int(status.code)) ?? status.isSuccess else {
            return judge(fault(of: reply, isJSON, tape), status)
        }
        guard isJSON else { return (.failed, "status \(status.code), but not JSON") }
        let document = tape.root(over: reply.body.span)
        if let fault = fault(in: document) { return judge(fault, status) }
        if let member = health?.member, FieldPath(member).value(in: document) == nil {
            return (.failed, "status \(status.code), but without `\(member)`")
        }
        return (.reachable, "status \(status.code)")
    }

    private func fault(of reply: ProviderClient.Reply, _ isJSON: Bool, _ tape: JSONTape) -> ProviderFault {
        isJSON
            ? provider.chat.fault(reply.head, tape.root(over: reply.body.span), text: reply.body.span)
            : provider.chat.fault(reply.head, nil, text: reply.body.span)
    }

    /// Why the key is to be left alone, by the provider's own words for it: a status alone may be about what was asked for.
    func keyReason(_ reply: ProviderClient.Reply) -> KeyRing.Reason? {
        let status = reply.head.status
        if status == 101 { return nil }
        let tape = JSONTape()
        let isJSON = (try? tape.scan(reply.body.span)) != nil
        let fault =
            status.isSuccess
            ? (isJSON ? fault(in: tape.root(over: reply.body.span)) : nil) : fault(of: reply, isJSON, tape)
        return switch fault?.key {
        case .refused: .refused
        case .exhausted: .exhausted
        case .fine, nil: nil
        }
    }

    /// An error where an answer was to be.
    private func fault(in document: JSONValue) -> ProviderFault? {
        if question.isGet { return provider.dialect == .openai ? provider.adaptation.errors.inBand(document) : nil }
        let reply = ReplyAssembly()
        provider.chat.makeDecoder().decode(whole: document, into: reply)
        return reply.fault
    }

    private func judge(_ fault: ProviderFault, _ status: Status) -> (ProbeResult.Verdict, String) {
        let code = fault.code.map { " \($0)" } ?? ""
        let said = String(decoding: Array(fault.message.utf8.prefix(Self.reasonBytesMax)), as: UTF8.self)
        let reason = "status \(status.code)\(code): \(said)"
        switch fault.key {
        case .refused: return (.keyRefused, reason)
        case .exhausted: return (.quotaExhausted, reason)
        case .fine: break
        }
        switch status.isSuccess ? fault.status.code : status.code {
        case 401, 403: return (.keyRefused, reason)
        case 402: return (.quotaExhausted, reason)
        case 408, 429, 500...: return (.degraded, reason)
        case 404, 405: return (.failed, reason)
        // Only after a look at the key does a platform say what is wrong with the rest.
        case 400..<500 where question.isEmptyChat: return (.reachable, "it took the key, and no chat without messages")
        default: return (.failed, reason)
        }
    }
}

extension ProbeResult.Verdict: Comparable {
    static func < (a: Self, b: Self) -> Bool {
        (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
    }
}
