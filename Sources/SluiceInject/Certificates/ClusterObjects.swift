internal import SluiceCore
internal import SluiceJSON

/// What of the Secret is needed.
struct SecretView {
    let resourceVersion: String
    let bundle: CertificateBundle

    init(_ body: [UInt8]) throws(ClusterClient.Failure) {
        let tape = JSONTape()
        let root = try tape.object(in: body.span, "the Secret")
        resourceVersion = try root.resourceVersion("the Secret")
        bundle = CertificateBundle(reading: root["data"])
    }
}

/// What of the webhook's configuration is needed.
struct WebhookView {
    let resourceVersion: String
    /// Of each webhook, in Base64; empty: it has none.
    private let bundles: [String]

    init(_ body: [UInt8]) throws(ClusterClient.Failure) {
        let tape = JSONTape()
        let root = try tape.object(in: body.span, "the webhook configuration")
        resourceVersion = try root.resourceVersion("the webhook configuration")
        var bundles: [String] = []
        var webhooks = root.elements(of: "webhooks")
        while let webhook = webhooks.next() { bundles.append(webhook["clientConfig"]?["caBundle"]?.string ?? "") }
        if bundles.isEmpty { throw .other("the webhook configuration has no webhooks") }
        self.bundles = bundles
    }

    /// Whom the first webhook trusts.
    var trusted: [UInt8] { bundles.first.flatMap { Base64.decode($0.utf8Span.span) } ?? [] }

    func trusts(_ authorities: [UInt8]) -> Bool {
        let wanted = Base64.encode(authorities.span)
        return bundles.allSatisfy { $0 == wanted }
    }

    /// Replacing the version makes the API server refuse the patch, with 409, when the object has another by then.
    func patch(trusting authorities: [UInt8]) -> ByteBuffer {
        let wanted = Base64.encode(authorities.span)
        var patch = JSONPatch()
        patch.replace(JSONPointer.root.appending("metadata").appending("resourceVersion")) { json in
            json.string(resourceVersion)
        }
        for (index, bundle) in bundles.enumerated() where bundle != wanted {
            let webhook = JSONPointer.root.appending("webhooks").appending(index)
            patch.add(webhook.appending("clientConfig").appending("caBundle")) { json in json.string(wanted) }
        }
        return patch.finished()
    }
}

extension JSONTape {
    /// - Parameter name: what the object is, for the log.
    @_lifetime(borrow self, copy bytes)
    fileprivate func object(in bytes: Span<UInt8>, _ name: String) throws(ClusterClient.Failure) -> JSONValue {
        do throws(JSONError) {
            try scan(bytes)
        } catch {
            throw .other("\(name) cannot be read: \(error)")
        }
        return root(over: bytes)
    }
}

extension JSONValue {
    /// Which version of the object it is.
    fileprivate func resourceVersion(_ name: String) throws(ClusterClient.Failure) -> String {
        guard let version = self["metadata"]?["resourceVersion"]?.string else {
            throw .other("\(name) has no resourceVersion")
        }
        return version
    }
}
