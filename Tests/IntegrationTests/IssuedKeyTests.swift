import Foundation
import TestSupport
import Testing

/// API keys that the management API issues, through their whole lives.
@Suite struct `An issued key` {
    private func configuration(_ upstream: ScriptedUpstream, _ store: Store, _ access: String = "") -> Configuration {
        var configuration = Configuration(upstream)
        configuration.workers = 2
        configuration.models = #""m-1": {provider: "mock"}, "x-1": {provider: "mock"}"#
        configuration.others = [
            #"storage: {directory: "\#(store.path)"}"#, #"control: {shared_secret: "\#(Store.secret)"}"#,
            #"access: {keys: {root: {secret: "\#(Self.root)", roles: ["admin"]}}, \#(access)}"#,
        ]
        return configuration
    }

    private static let root = "root-\(Secrets.mark)-0123456789abcdef"
    private static let noKey = ["authorization:"]

    /// A request to the management API with a key.
    private func ask(
        _ sluice: SluiceProcess, _ method: String, _ path: String, _ body: String = "", as key: String = root,
        _ fields: [String] = []
    ) throws -> HTTPMessage {
        try sluice.api(method, path, body, ["authorization: Bearer \(key)"] + fields)
    }

    private func issue(_ sluice: SluiceProcess, _ body: String) throws -> String {
        let reply = try ask(sluice, "POST", "/api/v1/keys", body)
        #expect(reply.status == 201, "\(reply.text)")
        return try #require(reply.json["key"].string)
    }

    private func chat(_ sluice: SluiceProcess, _ key: String, _ model: String = "m-1") throws -> Int {
        try sluice.chat(#"{"model":"\#(model)","messages":[]}"#, ["authorization: Bearer \(key)"]).status
    }

    @Test func `is shown once, works at once on every worker, and is nowhere to be found`() throws {
        let (upstream, store) = (try ScriptedUpstream(), try Store())
        var key = ""
        try withSluice(configuration(upstream, store), upstream) { sluice in
            let dry = try ask(sluice, "POST", "/api/v1/keys?dry_run=true", #"{"name":"app"}"#)
            #expect(dry.status == 200 && dry.json["key"].string == nil)
            #expect(try ask(sluice, "GET", "/api/v1/keys/app").status == 404)
            key = try issue(sluice, #"{"name":"app","team":"red","models":["m-*"]}"#)
            #expect(key.hasPrefix("sk-sluice-"))
            for _ in 0..<6 { #expect(try chat(sluice, key) == 200) }
            #expect(try chat(sluice, key, "x-1") == 403)
            #expect(try ask(sluice, "POST", "/api/v1/keys", #"{"name":"app"}"#).status == 409)
            let shown = try ask(sluice, "GET", "/api/v1/keys/app")
            #expect(shown.json["team"].string == "red" && shown.json["created_by"].string == "key:root")
            #expect(shown.json["last_used"].string != nil)
            let prefix = try #require(shown.json["prefix"].string)
            #expect(key.hasPrefix(prefix.dropLast()) && prefix.utf8.count < 22)
            for path in ["/api/v1/keys", "/api/v1/keys/app", "/api/v1/config", "/api/v1/config/revisions/1"] {
                let text = try ask(sluice, "GET", path).text
                #expect(!text.contains(key) && !text.contains("hs256"), "\(path)")
            }
            let written = try sluice.report()
            #expect(!written.contains(key))
        }
        let isStored = try store.contains(key)
        #expect(!isStored)
        // When it was used is still known.
        let again = try ScriptedUpstream()
        try withSluice(configuration(again, store), again) { sluice throws in
            #expect(try ask(sluice, "GET", "/api/v1/keys/app").json["last_used"].string != nil)
            #expect(try chat(sluice, key) == 200)
        }
    }

    @Test func `that is rotated is taken beside the new one for as long as was said, and no longer`() throws {
        let (upstream, store) = (try ScriptedUpstream(), try Store())
        try withSluice(configuration(upstream, store), upstream) { sluice in
            let old = try issue(sluice, #"{"name":"app"}"#)
            let rotated = try ask(sluice, "POST", "/api/v1/keys/app/rotate", #"{"overlap_seconds":3}"#)
            #expect(rotated.status == 200 && rotated.json["previous_until"].string != nil, "\(rotated.text)")
            let new = try #require(rotated.json["key"].string)
            #expect(new != old)
            #expect(try chat(sluice, new) == 200)
            #expect(try chat(sluice, old) == 200)
            try awaitTrue("the overlap's end") { try chat(sluice, old) == 401 }
            #expect(try chat(sluice, new) == 200)
            let last = try ask(sluice, "POST", "/api/v1/keys/app/rotate", #"{"overlap_seconds":0}"#)
            #expect(last.json["previous_until"].string == nil)
            #expect(try chat(sluice, new) == 401)
            #expect(try chat(sluice, try #require(last.json["key"].string)) == 200)
            for body in [#"{"overlap_seconds":-1}"#, #"{"overlap_seconds":99999999}"#, #"{"overlap":1}"#] {
                #expect(try ask(sluice, "POST", "/api/v1/keys/app/rotate", body).status == 400, "\(body)")
            }
            #expect(try ask(sluice, "POST", "/api/v1/keys/none/rotate").status == 404)
            #expect(try ask(sluice, "POST", "/api/v1/keys/root/rotate").status == 409)
        }
    }

    @Test func `that is disabled, expired or removed is refused at once, on open connections too, and comes back only as told`()
        throws
    {
        let (upstream, store) = (try ScriptedUpstream(), try Store())
        try withSluice(configuration(upstream, store), upstream) { sluice in
            let key = try issue(sluice, #"{"name":"app"}"#)
            let wire = try sluice.connect()
            let fields = ["authorization: Bearer \(key)"]
            func status() throws -> Int { try wire.chat(#"{"model":"m-1","messages":[]}"#, fields).status }
            #expect(try status() == 200)
            #expect(try ask(sluice, "PATCH", "/api/v1/keys/app", #"{"disabled":true}"#).status == 200)
            #expect(try status() == 401)
            #expect(try ask(sluice, "GET", "/api/v1/keys/app").json["disabled"].bool == true)
            // A rollback brings back no key.
            #expect(try ask(sluice, "PATCH", "/api/v1/config", #"{"models":{"m-2":{"provider":"mock"}}}"#).status == 200)
            #expect(try ask(sluice, "POST", "/api/v1/config/rollback", #"{"to":0}"#).status == 200)
            #expect(try status() == 401)
            #expect(try ask(sluice, "PATCH", "/api/v1/keys/app", #"{"disabled":false}"#).status == 200)
            #expect(try status() == 200)
            let past = try ask(sluice, "PATCH", "/api/v1/keys/app", #"{"expires":"2020-01-01T00:00:00Z"}"#)
            #expect(past.status == 200 && past["x-sluice-revision"]?.hasPrefix("6.") == true, "\(past.head)")
            #expect(try status() == 401)
            #expect(try ask(sluice, "PATCH", "/api/v1/keys/app", #"{"expires":null}"#).status == 200)
            #expect(try status() == 200)
            #expect(try ask(sluice, "DELETE", "/api/v1/keys/app").status == 200)
            #expect(try status() == 401)
            #expect(try ask(sluice, "GET", "/api/v1/keys/app").status == 404)
            let events = try ask(sluice, "GET", "/api/v1/audit?limit=1000").json["data"].array
            let refused = events.first { $0["event"].string == "access.refused" }
            #expect(refused?["detail"]["reason"].string != nil, "\(events)")
        }
    }

    @Test func `may do no more than whoever issues it`() throws {
        let (upstream, store) = (try ScriptedUpstream(), try Store())
        let access = #"""
            roles: {
              clerk: {allow: {endpoints: ["/v1/chat/*"], models: ["m-*"], providers: ["*"], scenes: ["*"], actions: ["keys.*"]},
                deny: {models: ["m-secret"]}},
              wide: {based_on: "app"}, narrow: {allow: {endpoints: ["/v1/chat/completions"], models: ["m-1"], providers: ["mock"],
                scenes: ["*"]}, deny: {models: ["m-secret"]}},
            },
            users: {boss: {roles: ["admin"]}}
            """#
        try withSluice(configuration(upstream, store, access), upstream) { sluice in
            for (role, status) in [("app", 403), ("developer", 403), ("operator", 403), ("auditor", 403)] {
                let key = try issue(sluice, #"{"name":"k-\#(role)","roles":["\#(role)"]}"#)
                let reply = try ask(sluice, "POST", "/api/v1/keys", #"{"name":"x","roles":["admin"]}"#, as: key)
                #expect(reply.status == status && reply.json["error"]["code"].string == "permission_denied", "\(role)")
            }
            let clerk = try issue(sluice, #"{"name":"clerk","roles":["clerk"]}"#)
            // Another's key is not his to have by giving it a new secret.
            _ = try issue(sluice, #"{"name":"chief","roles":["admin"]}"#)
            let taken = try ask(sluice, "POST", "/api/v1/keys/chief/rotate", as: clerk)
            #expect(taken.status == 403 && taken.json["key"].string == nil, "\(taken.text)")
            #expect(try ask(sluice, "POST", "/api/v1/keys/clerk/rotate", as: clerk).status == 200)
            for (body, more) in [
                (#""roles":["admin"]"#, "speak for others"), (#""user":"boss""#, "speak for others"),
                (#""roles":["clerk","auditor"]"#, "config.read"), (#""roles":["wide"]"#, "models.read"),
                (#""roles":["narrow"],"may_claim":true"#, "speak for others"), (#""roles":["app"]"#, "models.read"),
            ] {
                let reply = try ask(sluice, "POST", "/api/v1/keys", #"{"name":"more",\#(body)}"#, as: clerk)
                #expect(reply.status == 403 && reply.text.contains(more), "\(body): \(reply.text)")
            }
            for body in [#""roles":["narrow"]"#, #""roles":["clerk"]"#, #""roles":["clerk"],"models":["m-1"]"#] {
                let reply = try ask(sluice, "POST", "/api/v1/keys", #"{"name":"less",\#(body)}"#, as: clerk)
                #expect(reply.status == 201, "\(body): \(reply.text)")
                let change = try ask(sluice, "PATCH", "/api/v1/keys/less", #"{"roles":["admin"]}"#, as: clerk)
                #expect(change.status == 403, "\(change.text)")
                #expect(try ask(sluice, "DELETE", "/api/v1/keys/less", as: clerk).status == 200)
            }
        }
    }
}
