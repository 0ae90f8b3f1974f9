import TestSupport
import Testing

/// Who manages keys and users cannot become more than he is by it.
@Suite struct `A manager of keys and users` {
    private static let boss = "authorization: Bearer 0123456789abcdefboss"
    private static let keeper = "authorization: Bearer 0123456789abcdekeeper"

    private func with(_ body: (SluiceProcess) throws -> Void) throws {
        let upstream = try ScriptedUpstream()
        let store = try Store()
        var configuration = Configuration(upstream)
        configuration.others = [
            #"storage: {directory: "\#(store.path)"}"#, #"control: {shared_secret: "\#(Store.secret)"}"#,
            #"""
            access: {
                roles: {keeper: {allow: {
                    endpoints: ["/v1/*"], models: ["small*"],
                    actions: ["keys.*", "users.*", "config.*", "models.read", "history.read_own", "usage.read_own"]}}},
                keys: {
                    boss: {secret: "0123456789abcdefboss", roles: ["admin"]},
                    keeper: {secret: "0123456789abcdekeeper", roles: ["keeper"]}}}
            """#,
        ]
        try withSluice(configuration, upstream) { try body($0) }
    }

    private func expectRefusal(_ reply: HTTPMessage, _ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            reply.status == 403 && reply.json["error"]["code"].string == "permission_denied"
                && reply.json["error"]["message"].string?.contains(what) == true, "\(reply.text)",
            sourceLocation: sourceLocation)
        #expect(!reply.text.contains("\"key\""), sourceLocation: sourceLocation)
    }

    @Test func `gives out what he may do himself, and no more`() throws {
        try with { sluice in
            let small = #"{"name":"one","roles":["app"],"models":["small-1"]}"#
            let made = try sluice.api("POST", "/api/v1/keys", small, [Self.keeper])
            #expect(made.status == 201 && made.json["key"].string != nil, "\(made.text)")
            #expect(try sluice.api("POST", "/api/v1/keys/one/rotate", "", [Self.keeper]).status == 200)
            for (body, what) in [
                (#"{"name":"two","roles":["admin"]}"#, "speak for others"), (#"{"name":"two","roles":["app"]}"#, "other models"),
                (#"{"name":"two","models":["small-1","large"]}"#, "other models"),
                (#"{"name":"two","models":["small-1"],"may_claim":true}"#, "speak for others"),
                (#"{"name":"two","roles":["keeper","auditor"]}"#, "roles.read"),
            ] {
                expectRefusal(try sluice.api("POST", "/api/v1/keys", body, [Self.keeper]), what)
                expectRefusal(try sluice.api("POST", "/api/v1/keys?dry_run=true", body, [Self.keeper]), what)
            }
            expectRefusal(try sluice.api("PATCH", "/api/v1/keys/one", #"{"models":null}"#, [Self.keeper]), "other models")
            let patch = #"{"access":{"users":{"keeper":{"roles":["admin"]}}}}"#
            expectRefusal(try sluice.api("PATCH", "/api/v1/config", patch, [Self.keeper]), "speak for others")
            expectRefusal(
                try sluice.api("PUT", "/api/v1/users/keeper", #"{"roles":["admin"]}"#, [Self.keeper]), "speak for others")
            #expect(
                try sluice.api("PUT", "/api/v1/users/keeper", #"{"roles":["keeper"]}"#, [Self.keeper]).status == 200)
        }
    }

    @Test func `takes over nothing that may do more`() throws {
        try with { sluice in
            let made = try sluice.api("POST", "/api/v1/keys", #"{"name":"root","roles":["admin"]}"#, [Self.boss])
            let root = try #require(made.json["key"].string)
            expectRefusal(try sluice.api("POST", "/api/v1/keys/root/rotate", "", [Self.keeper]), "speak for others")
            expectRefusal(try sluice.api("PATCH", "/api/v1/keys/root", #"{"roles":["app"]}"#, [Self.keeper]), "speak for others")
            expectRefusal(try sluice.api("DELETE", "/api/v1/keys/root", "", [Self.keeper]), "speak for others")
            #expect(try sluice.api("PUT", "/api/v1/users/root", #"{"roles":["admin"]}"#, [Self.boss]).status == 200)
            expectRefusal(try sluice.api("DELETE", "/api/v1/users/root", "", [Self.keeper]), "speak for others")
            let bearer = "authorization: Bearer \(root)"
            #expect(try sluice.api("GET", "/api/v1/keys", "", [bearer]).status == 200)
            #expect(try sluice.api("POST", "/api/v1/keys/root/rotate", "", [Self.boss]).status == 200)
        }
    }
}
