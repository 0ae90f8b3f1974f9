import Foundation
import SluicePolicy
import TestSupport
import Testing

/// Every role, at every operation that the running program says it has, and at every endpoint of applications.
@Suite struct `Permissions` {
    private struct Operation {
        let method: String
        let path: String
        let action: AdminAction?
    }

    /// What `/openapi.json` has under `/api/v1` with a permission or without, paths filled in with names that nobody has.
    private func operations(_ sluice: SluiceProcess, _ key: String) throws -> [Operation] {
        let document = try ask(sluice, "GET", "/openapi.json", key).json
        let paths = try #require(document["paths"].value as? [String: Any])
        var found: [Operation] = []
        for path in paths.keys.sorted() where path.hasPrefix("/api/v1/") {
            for (method, described) in (paths[path] as? [String: Any] ?? [:]).sorted(by: { $0.key < $1.key }) {
                let described = described as? [String: Any]
                guard (described?["tags"] as? [String])?.contains("management") == true else { continue }
                let action = (described?["x-permission"] as? String).flatMap(AdminAction.init)
                #expect(action != nil || described?["x-permission"] == nil, "\(path)")
                let filled = path.replacing(/\{[a-z]+\}/, with: "77")
                found.append(Operation(method: method.uppercased(), path: filled, action: action))
            }
        }
        return found
    }

    private func ask(
        _ sluice: SluiceProcess, _ method: String, _ path: String, _ key: String, _ body: String = ""
    ) throws -> HTTPMessage {
        try sluice.api(method, path, body, ["authorization: Bearer \(key)"])
    }

    private static let endpoints: [(method: String, path: String, template: String)] = [
        ("POST", "/v1/chat/completions", "/v1/chat/completions"), ("POST", "/v1/completions", "/v1/completions"),
        ("POST", "/v1/embeddings", "/v1/embeddings"), ("POST", "/v1/responses", "/v1/responses"),
        ("POST", "/v1/messages", "/v1/messages"), ("POST", "/v1/messages/count_tokens", "/v1/messages/count_tokens"),
        ("POST", "/v1/moderations", "/v1/moderations"), ("POST", "/v1/audio/speech", "/v1/audio/speech"),
        ("GET", "/v1/models", "/v1/models"), ("GET", "/v1/files", "/v1/files"), ("GET", "/v1/batches", "/v1/batches"),
        ("POST", "/api/v1/chat/completions", "/api/v1/chat/completions"), ("GET", "/api/v1/models", "/api/v1/models"),
    ]

    @Test func `are as the roles have them, for each role, operation and endpoint`() throws {
        let (upstream, store) = (try ScriptedUpstream(), try Store())
        var clerk = Role(name: "clerk", allow: Role.Names(endpoints: ["/v1/embeddings"], actions: ["keys.*", "audit.read"]))
        clerk.deny.actions = ["keys.write"]
        let roles = Role.builtIn + [clerk, Role(name: "nothing", allow: Role.Names())]
        let keys = roles.map { #"\#($0.name): {secret: "\#($0.name)-0123456789abcdef", roles: ["\#($0.name)"]}"# }
        var configuration = Configuration(upstream)
        configuration.others = [
            #"storage: {directory: "\#(store.path)"}"#, #"control: {shared_secret: "\#(Store.secret)"}"#, "records: {}",
            #"""
            access: {keys: {\#(keys.joined(separator: ", "))}, roles: {
              clerk: {allow: {endpoints: ["/v1/embeddings"], actions: ["keys.*", "audit.read"]}, deny: {actions: ["keys.write"]}},
              nothing: {},
            }}
            """#,
        ]
        try withSluice(configuration, upstream) { sluice in
            let operations = try operations(sluice, "admin-0123456789abcdef")
            #expect(operations.count > 35)
            // Those without a permission of their own: what they show depends on who asks.
            let open = Set(operations.filter { $0.action == nil }.map(\.path))
            #expect(open == ["/api/v1/history", "/api/v1/history/77", "/api/v1/usage"], "\(open)")
            for role in roles {
                let (access, key) = (SluicePolicy.Access([role]), "\(role.name)-0123456789abcdef")
                for operation in operations {
                    let body = operation.method == "GET" || operation.method == "DELETE" ? "" : "[]"
                    let reply = try ask(sluice, operation.method, operation.path, key, body)
                    let isRefused = reply.status == 403 && reply.json["error"]["code"].string == "permission_denied"
                    #expect(
                        isRefused != isAllowed(operation, access),
                        "\(role.name) \(operation.method) \(operation.path): \(reply.status) \(reply.text.prefix(200))")
                }
                for endpoint in Self.endpoints {
                    let body = endpoint.method == "GET" ? "" : "[]"
                    let status = try ask(sluice, endpoint.method, endpoint.path, key, body).status
                    #expect(
                        (status == 403) != access.allows(endpoint: endpoint.template),
                        "\(role.name) \(endpoint.path): \(status)")
                }
            }
            // Whoever shows nothing, or something wrong, learns nothing of any of them.
            for operation in operations.filter({ $0.method == "GET" }) {
                #expect(try ask(sluice, "GET", operation.path, "").status == 401, "\(operation.path)")
            }
            #expect(try sluice.health().json["control_revision"].int == 0)
        }
    }

    private func isAllowed(_ operation: Operation, _ access: SluicePolicy.Access) -> Bool {
        if let action = operation.action { return access.allows(action) }
        return operation.path.contains("history")
            ? access.allows(.readOwnHistory) || access.allows(.readAllHistory)
            : access.allows(.readOwnUsage) || access.allows(.readAllUsage)
    }
}
