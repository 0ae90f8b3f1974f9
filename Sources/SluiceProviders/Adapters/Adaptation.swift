package import SluiceConfig
internal import SluiceCore

/// An adapter made ready for requests.
package final class Adaptation: Sendable {
    /// The adapter's name; empty for a provider without one.
    package let name: String
    package let request: RequestTransform
    package let reply: ReplyReading
    package let errors: ErrorTable
    /// Whether `request` and `errors` say anything: looking there copies them.
    package let changesRequests: Bool
    package let readsErrors: Bool
    package let capabilities: CapabilityTable
    /// Whether chat replies are read and written anew.
    package let normalises: Bool
    /// Whether anything is adapted before the call: without an adapter a request passes as it is.
    package let isActive: Bool
    /// How the platform is probed.
    package let health: Adapter.Health?
    private let paths: [Adapter.Operation: String]?
    /// With the question mark; empty if there is none.
    private let query: String

    package init(
        _ adapter: Adapter? = nil, query: [Named<String>] = [], capabilities overrides: [CapabilityRules] = []
    ) {
        name = adapter?.name ?? ""
        request = RequestTransform(adapter?.request ?? [])
        errors = ErrorTable(adapter?.errors ?? ErrorRules())
        changesRequests = !request.isEmpty
        readsErrors = !errors.isEmpty
        reply = ReplyReading(adapter?.reply ?? ReplyRules(), errors)
        capabilities = CapabilityTable(
            adapter?.capabilities ?? [], overrides: overrides, asksForUsage: !request.alwaysRemoves("stream_options"))
        normalises = adapter?.reply.normalises ?? false
        isActive = !(adapter?.request.isEmpty ?? true) || !(adapter?.capabilities.isEmpty ?? true) || !overrides.isEmpty
        health = adapter?.health
        paths = adapter?.paths
        self.query = query.isEmpty ? "" : "?" + query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    // MARK: Where

    /// Whether anything is where OpenAI does not have it.
    package var movesPaths: Bool { paths != nil || !query.isEmpty }

    /// Whether the platform has an operation.
    package func has(_ operation: Adapter.Operation) -> Bool { paths.map { $0[operation] != nil } ?? true }

    /// The path of an operation after the base URL's, as a template.
    package func path(_ operation: Adapter.Operation) -> String { paths?[operation] ?? operation.usualPath }

    /// The path of an operation after the base URL's, with the constants of the query.
    ///
    /// - Parameters:
    ///   - rest: what the application's path and query say beyond the operation: `/generations`, `?limit=2`.
    package func target(_ operation: Adapter.Operation, model: String, rest: Span<UInt8>) -> [UInt8] {
        target(path(operation), model: model, rest: rest)
    }

    /// A path with its `{model}` filled in, and the constants of the query.
    package func target(_ template: String, model: String) -> [UInt8] {
        target(template, model: model, rest: [UInt8]().span)
    }

    private func target(_ template: String, model: String, rest: Span<UInt8>) -> [UInt8] {
        let buffer = ByteBuffer(capacity: template.utf8.count + rest.count + query.utf8.count + 32)
        if let place = template.ranges(of: "{model}").first {
            buffer.append(String(template[..<place.lowerBound]))
            Self.append(percentEncoded: model, to: buffer)
            buffer.append(String(template[place.upperBound...]))
        } else {
            buffer.append(template)
        }
        let mark = rest.firstIndex(of: UInt8(ascii: "?"))
        buffer.append(rest.extracting(0..<(mark ?? rest.count)))
        buffer.append(query)
        if let mark {
            buffer.append(query.isEmpty ? "?" : "&")
            buffer.append(rest.extracting(mark + 1..<rest.count))
        }
        return buffer.bytes
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    /// One segment of a path (RFC 3986 §2.3: only what is unreserved stays).
    private static func append(percentEncoded text: String, to buffer: ByteBuffer) {
        for byte in text.utf8 {
            if byte.isASCIILetter || byte.isDecimalDigit || "-._~".utf8.contains(byte) {
                buffer.append(byte)
            } else {
                buffer.append(UInt8(ascii: "%"))
                buffer.append(digits[Int(byte >> 4)])
                buffer.append(digits[Int(byte & 15)])
            }
        }
    }
}

extension OpenAIOperation {
    /// What adapters call it.
    package var adapterOperation: Adapter.Operation {
        switch self {
        case .chatCompletions: .chat
        case .completions: .completions
        case .embeddings: .embeddings
        case .responses: .responses
        case .moderations: .moderations
        case .images: .images
        case .audioSpeech, .audioTranscription: .audio
        case .models: .models
        case .passage: .passage
        }
    }
}
