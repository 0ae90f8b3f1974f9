internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceTLS

/// Names requests by everything that their answers depend on: two that differ in anything that counts never have the same name.
///
/// What is not known counts: only what is on the list of `AnswerForm.meaningless` is left out (theme 3.13).
final class RequestKeys {
    private var canonical = JSONCanonicalForm()
    private let hashes = SHA256Series()
    private let buffer = ByteBuffer(capacity: 4096)
    /// What was written of the route that was used last: many requests in a row have the same.
    private let lastTargets = ByteBuffer(capacity: 256)
    private var lastRoute: Route?
    private var lastSettings: CacheSettings?
    /// A longer one is given back.
    private static let keptByteCount = 262_144

    /// - Parameter settings: what of the configuration changes answers.
    func key(
        of root: JSONValue, _ form: AnswerForm, _ context: RequestContext, _ scope: CacheScope,
        _ settings: CacheSettings
    ) -> CacheKey? {
        buffer.removeAll()
        buffer.append(form.rawValue)
        appendScope(scope, context)
        appendPlan(context.plan, settings)
        appendHead(context.exchange.head)
        canonical.append(membersOf: root, except: form.meaningless, to: buffer)
        return finish()
    }

    /// The name of a request under an idempotency key: it is the application's own word, within its credential.
    func key(idempotencyKey: Span<UInt8>, _ context: RequestContext) -> CacheKey? {
        buffer.removeAll()
        append("idempotency".utf8Span.span)
        appendCredential(context)
        append(idempotencyKey)
        return finish()
    }

    /// What such a request says.
    static func content(_ body: ByteBuffer, _ context: RequestContext) -> CacheKey? {
        var mark = ContentMark()
        let head = context.exchange.head
        mark.add(head.target.span)
        mark.add(body.span)
        return mark.finish()
    }

    private func finish() -> CacheKey? {
        let buffer = buffer
        let digest = hashes.hash(buffer.span)
        buffer.removeAll()
        if buffer.capacity > Self.keptByteCount { buffer.giveBack() }
        return CacheKey(digest.span)
    }

    /// Each part with its length, so that no two lists of parts look the same.
    private func append(_ bytes: Span<UInt8>) {
        buffer.append(decimal: bytes.count)
        buffer.append(UInt8(ascii: ":"))
        buffer.append(bytes)
    }

    private func append(_ text: String) {
        buffer.append(decimal: text.utf8.count)
        buffer.append(UInt8(ascii: ":"))
        buffer.append(text)
    }

    // MARK: Who shares

    private func appendScope(_ scope: CacheScope, _ context: RequestContext) {
        switch scope {
        case .global: buffer.append(UInt8(ascii: "g"))
        case .key:
            buffer.append(UInt8(ascii: "k"))
            appendCredential(context)
            appendTeam(context)
        case .user:
            buffer.append(UInt8(ascii: "u"))
            appendCredential(context)
            appendTeam(context)
            append(context.caller.user ?? "")
        case .team:
            buffer.append(UInt8(ascii: "t"))
            append(context.caller.team ?? "")
            // Those who do not say which are no team.
            if context.caller.team == nil { appendCredential(context) }
        }
    }

    private func appendCredential(_ context: RequestContext) {
        // A principal stays who he is when his key is rotated.
        if context.principal.kind != .local {
            buffer.append(UInt8(ascii: "p"))
            return append(context.principal.id)
        }
        let fields = context.exchange.head.fields
        for field in [FieldName.authorization, .xAPIKey, .apiKey] {
            if let index = fields.index(of: field) { return append(fields.value(at: index)) }
        }
        append("")
    }

    private func appendTeam(_ context: RequestContext) {
        if context.principal.mayClaim { append(field: "x-sluice-team", of: context) } else { append("") }
    }

    private func append(field name: StaticString, of context: RequestContext) {
        let fields = context.exchange.head.fields
        if let index = fields.index(named: name) { append(fields.value(at: index)) } else { append("") }
    }

    // MARK: What is asked

    /// All that may answer, as they are configured: which of them is asked first changes from request to request.
    private func appendPlan(_ plan: RoutePlan, _ settings: CacheSettings) {
        append(plan.rule ?? "")
        guard let route = plan.route else {
            for target in plan.targets { append(target, settings) }
            return
        }
        if plan.isRestricted {
            // What came from somebody whom he may not ask is not for him.
            buffer.append(UInt8(ascii: "r"))
            for target in route.targets where plan.targets.contains(where: { $0 === target }) {
                append(target, settings)
            }
            return
        }
        if route !== lastRoute || settings !== lastSettings {
            let start = buffer.count
            for target in route.targets { append(target, settings) }
            lastRoute = route
            lastSettings = settings
            lastTargets.removeAll()
            let written = buffer
            lastTargets.append(written.span.extracting(start..<written.count))
            return
        }
        let targets = lastTargets
        buffer.append(targets.span)
    }

    private func append(_ target: RouteTarget, _ settings: CacheSettings) {
        append(target.provider.name)
        append(target.upstreamModel)
        append(settings.revisions[target.provider.name] ?? "")
        // What the configuration says of the target itself: it decides what of a request reaches the model.
        if target.overridesCapabilities { append("\(target.capabilities)") }
        append(target.unsupported.map { "\($0)" } ?? "")
    }

    /// Fields that change what the words of a body mean.
    private static let meaningful: [FieldName] = [
        .openaiBeta, .openaiOrganization, .openaiProject, .anthropicVersion, .anthropicBeta,
    ]

    private func appendHead(_ head: RequestHead) {
        let target = head.target
        if let mark = target.firstIndex(of: UInt8(ascii: "?")) { append(Array(target[mark...]).span) }
        for field in Self.meaningful {
            var position = head.fields.index(of: field)
            while let index = position {
                append(String(describing: field))
                append(head.fields.value(at: index))
                position = head.fields.index(of: field, from: index + 1)
            }
        }
        buffer.append(UInt8(ascii: ";"))
    }
}
