internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceIdentity
internal import SluiceJSON
internal import SluicePipeline
internal import SluicePolicy

/// `/identity` of the admin port: how those who issue tokens are, and which of their keys are known. No token and no secret.
final class IdentityEndpoint: AdminRoute {
    let name = "/identity"
    private let shared: Shared

    init(_ shared: Shared) { self.shared = shared }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        if !head.path.equals("/identity") { return false }
        guard head.method == .get || head.method == .head else {
            AdminEndpoint.send(405, #"{"error":"Use GET."}"#, to: exchange)
            return true
        }
        let verifiers = shared.current.snapshot.access?.verifiers ?? []
        AdminEndpoint.send(200, Self.report(verifiers.compactMap { $0 as? TokenVerifier }.first), to: exchange)
        return true
    }

    private static func report(_ verifier: TokenVerifier?) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("remembered_tokens")
            json.int(verifier?.verdictCount ?? 0)
            json.key("issuers")
            json.array { json in for issuer in verifier?.allIssuers ?? [] { write(issuer, &json) } }
            json.key("servers")
            json.array { json in for remote in verifier?.allRemotes ?? [] { write(remote, &json) } }
        }
        return buffer
    }

    private static func write(_ issuer: TokenIssuer, _ json: inout JSONWriter) {
        let report = issuer.keys.report
        json.object { json in
            json.key("issuer")
            json.string(issuer.issuer)
            json.key("keys")
            json.array { json in for id in report.keyIDs { json.string(id) } }
            json.key("left_out")
            json.array { json in for note in report.notes { json.string(note) } }
            json.key("age_s")
            if let age = report.age { json.int(Int(age.nanoseconds / 1_000_000_000)) } else { json.null() }
            json.key("fetches")
            json.int(report.fetches)
            write(failures: report.failures, report.lastFailure, &json)
        }
    }

    private static func write(_ remote: RemoteIssuer, _ json: inout JSONWriter) {
        let report = remote.report
        json.object { json in
            json.key("name")
            json.string(remote.name)
            json.key("questions")
            json.int(report.questions)
            write(failures: report.failures, report.lastFailure, &json)
        }
    }

    private static func write(failures: Int, _ last: String?, _ json: inout JSONWriter) {
        json.key("failures_in_a_row")
        json.int(failures)
        json.key("last_failure")
        if let last { json.string(last) } else { json.null() }
    }
}
