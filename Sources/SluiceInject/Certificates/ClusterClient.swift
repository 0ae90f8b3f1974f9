internal import SluiceCore
internal import SluiceHTTP
internal import SluiceIdentity
internal import SluiceJSON
internal import SluiceNet
internal import SluiceTLS

/// Where the API server is, and how one shows who one is there: as a pod finds it.
package struct ClusterAccess: Sendable {
    /// `https://10.0.0.1:443`, without a slash at its end.
    package var url: String
    package var authoritiesFile: String
    /// Kept fresh by the kubelet, and read for each request.
    package var tokenFile: String
    package var namespace: String

    package static let folder = "/var/run/secrets/kubernetes.io/serviceaccount"

    package init(url: String, authoritiesFile: String, tokenFile: String, namespace: String) {
        self.url = url
        self.authoritiesFile = authoritiesFile
        self.tokenFile = tokenFile
        self.namespace = namespace
    }
}

/// Reads and changes objects of a cluster.
struct ClusterClient {
    enum Failure: Error, Equatable {
        /// Another has changed the object since it was read.
        case conflict
        /// What the log says.
        case other(String)
    }

    enum PatchType {
        /// RFC 7396.
        case merge
        /// RFC 6902.
        case operations

        var mediaType: StaticString {
            switch self {
            case .merge: "application/merge-patch+json"
            case .operations: "application/json-patch+json"
            }
        }
    }

    private let access: ClusterAccess
    private let client: IdentityClient
    private static let timeout = Duration.seconds(5)
    private static let replyByteCountMax = 4 << 20

    /// Reads the cluster's authorities anew: they change, if seldom.
    init(_ access: ClusterAccess, _ resolver: Resolver) throws(Failure) {
        self.access = access
        var tls = UpstreamTLSConfiguration()
        tls.authoritiesFile = access.authoritiesFile
        tls.applicationProtocols = [.http1]
        do throws(TLSError) {
            let context = access.url.hasPrefix("https:") ? try TLSContext(upstream: tls) : nil
            client = IdentityClient(resolver: resolver, timeout: Self.timeout, tls: context)
        } catch {
            throw .other(error.message)
        }
    }

    /// An object's JSON.
    func get(_ path: String) async throws(Failure) -> [UInt8] {
        try await ask(IdentityClient.Question(url: access.url + path), path)
    }

    /// Changes an object.
    func patch(_ path: String, _ type: PatchType, _ patch: ByteBuffer) async throws(Failure) {
        var question = IdentityClient.Question(url: access.url + path)
        question.method = .patch
        question.bodyType = type.mediaType
        question.body = [UInt8](copying: patch.span)
        _ = try await ask(question, path)
    }

    private func ask(_ question: IdentityClient.Question, _ path: String) async throws(Failure) -> [UInt8] {
        var question = question
        question.replyByteCountMax = Self.replyByteCountMax
        let answer: IdentityClient.Answer
        do throws(IdentityClient.Failure) {
            question.authorization = try TokenFile.bearer(access.tokenFile)
            answer = try await client.ask(question)
        } catch {
            throw .other("\(path): \(error.detail)")
        }
        switch answer.status {
        case 200...299: return answer.body
        case 409: throw .conflict
        default: throw .other("\(path): status \(answer.status)\(Self.message(answer.body))")
        }
    }

    /// What the API server says in its Status.
    private static func message(_ body: [UInt8]) -> String {
        let tape = JSONTape()
        guard (try? tape.scan(body.span)) != nil, let text = tape.root(over: body.span)["message"]?.string else { return "" }
        return ": " + text.prefix(300)
    }
}
