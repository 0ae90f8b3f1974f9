import Foundation
import SluiceConfig
import Testing

@Suite struct `Adapters` {
    static func mistakes(_ text: String) -> String {
        do {
            _ = try Adapter.read(text: Array(text.utf8), file: "x.json5", environment: .fixed())
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `that are built in are all the files of their folder`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.appendingPathComponent("Sources/CAdapters/Adapters")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json5") }
        #expect(Set(names) == Set(AdapterLibrary.builtIn.names.map { $0 + ".json5" }))
        for adapter in AdapterLibrary.builtIn.adapters {
            let text = try Data(contentsOf: folder.appendingPathComponent(adapter.name + ".json5"))
            #expect(Array(text) == adapter.text, "\(adapter.name) is not the file: build again")
        }
        for (entry, adapter) in zip(BuiltInAdapter.all, AdapterLibrary.builtIn.adapters) {
            #expect(entry.name == adapter.name, "the index says so")
            #expect(entry.variables == adapter.keyVariables + adapter.baseURLVariables, "\(entry.name)")
        }
    }

    @Test(arguments: [
        ("{", "x.json5: 1:2: found the end of the text"),
        ("{title: 'X'}", "x.json5: name (line 1): required"),
        ("{name: 'a b', title: 'X'}", "x.json5: name (line 1): a name of 1 to 64"),
        (
            "{name: 'x', title: 'X', dialekt: 'openai'}",
            "x.json5: dialekt (line 1): unknown key, did you mean \"dialect\"?"
        ),
        ("{name: 'x', title: 'X', dialect: 'claude'}", "x.json5: dialect (line 1): openai, anthropic"),
        ("{name: 'x', title: 'X', auth: 'recipe:magic'}", "x.json5: auth (line 1): bearer, none, header:NAME"),
        (
            "{name: 'x', title: 'X',\n auth_settings: {region: 'r'}}",
            "x.json5: auth_settings.region (line 2): only with a recipe in auth that has it"
        ),
        (
            "{name: 'x', title: 'X', auth: 'recipe:aws-sigv4', auth_settings: {secret_access_key: 's'}}",
            "x.json5: auth_settings.secret_access_key (line 1): unknown key"
        ),
        ("{name: 'x', title: 'X', paths: {chat: 'chat'}}", "x.json5: paths.chat (line 1): a path that begins with /"),
        (
            "{name: 'x', title: 'X', paths: {chat: '/{deployment}'}}",
            "x.json5: paths.chat (line 1): a path that begins with /"
        ),
        ("{name: 'x', title: 'X', query: {'a': 'b&c'}}", "x.json5: query.a (line 1): letters, digits"),
        ("{name: 'x', title: 'X', headers: {host: 'h'}}", "x.json5: headers.host (line 1): a field name"),
        (
            "{name: 'x', title: 'X', request: [{clamp: {a: {min: 2, max: 1}}}]}",
            "x.json5: request[0].clamp.a.min (line 1): not more than max"
        ),
        (
            "{name: 'x', title: 'X', request: [{clamp: {a: {}}}]}",
            "x.json5: request[0].clamp.a (line 1): min, max or both"
        ),
        (
            "{name: 'x', title: 'X', request: {values: {a: 1}}}",
            "x.json5: request[0].values.a (line 1): an object, found 1"
        ),
        (
            "{name: 'x', title: 'X', request: {operations: ['chats']}}",
            "x.json5: request[0].operations[0] (line 1): chat, completions"
        ),
        (
            "{name: 'x', title: 'X', reply: {finish_reasons: {a: 'end'}}}",
            "x.json5: reply.finish_reasons.a (line 1): stop, length"
        ),
        (
            "{name: 'x', title: 'X', dialect: 'gemini', reply: {normalise: true}}",
            "x.json5: reply (line 1): without normalise"
        ),
        (
            "{name: 'x', title: 'X', errors: {table: [{status: 400}]}}",
            "x.json5: errors.table[0] (line 1): codes, http or contains"
        ),
        (
            "{name: 'x', title: 'X', errors: {table: [{codes: 'a', status: 200}]}}",
            "x.json5: errors.table[0].status (line 1): 400 to 599"
        ),
        (
            "{name: 'x', title: 'X', capabilities: [{tool: true}]}",
            "x.json5: capabilities[0].tool (line 1): unknown key, did you mean \"tools\"?"
        ),
        ("{name: 'x', title: 'X', health: {}}", "x.json5: health.path (line 1): required"),
    ])
    func `with mistakes say file, path and line`(text: String, wanted: String) {
        let found = Self.mistakes(text)
        #expect(found.hasPrefix(wanted), "\(found)")
    }

    private static func load(_ text: String, _ files: [String: String] = [:]) throws(ConfigErrors)
        -> ServerConfiguration
    {
        var all = files.mapValues { Array($0.utf8) }
        all["/etc/sluice.json5"] = Array(text.utf8)
        return try ServerConfiguration.load(file: "/etc/sluice.json5", environment: .fixed(files: all)).value
    }

    @Test func `give a provider everything, and it goes before them`() throws {
        let server = try Self.load(
            "{providers: {mine: {adapter: 'deepseek', api_key: 'k'}, zhipu: {api_key: 'k', models: ['own'], auth: 'recipe:zhipu-jwt'}, plain: {base_url: 'http://p/v1'}, minimax: {adapter: null, base_url: 'http://p'}}}"
        )
        let mine = try #require(server.provider(named: "mine"))
        #expect(mine.adapter?.name == "deepseek" && mine.baseURL.description == "https://api.deepseek.com")
        #expect(mine.models.contains("deepseek-*"))
        let zhipu = try #require(server.provider(named: "zhipu"))
        #expect(zhipu.adapter?.name == "zhipu" && zhipu.models == ["own"] && zhipu.auth == .recipe(.zhipuJWT))
        #expect(server.provider(named: "plain")?.adapter == nil && server.provider(named: "minimax")?.adapter == nil)
    }

    @Test func `of a folder add to the built-in ones and replace them`() throws {
        let server = try Self.load(
            "{providers: {acme: {}, deepseek: {}}}",
            [
                "/etc/adapters/acme.json5": "{name: 'acme', title: 'A', base_url: 'http://acme/v9'}",
                "/etc/adapters/ds.json": "{name: 'deepseek', title: 'D', base_url: 'http://mirror'}",
                "/etc/adapters/README.md": "no adapter", "/etc/adapters/.hidden.json5": "{",
            ])
        #expect(server.provider(named: "acme")?.baseURL.description == "http://acme/v9")
        #expect(server.provider(named: "deepseek")?.baseURL.description == "http://mirror")
    }

    @Test(arguments: [
        ("{providers: {x: {adapter: 'depseek'}}}", "unknown adapter \"depseek\", did you mean \"deepseek\"?"),
        ("{providers: {azure: {}}}", "providers.azure.base_url (line 1): required: an http or https URL"),
        (
            "{providers: {bedrock: {base_url: 'https://b'}}}",
            "providers.bedrock.auth_settings (line 1): with access_key_id, secret_access_key, region: required by aws-sigv4"
        ),
        ("{providers: {zhipu: {auth: 'recipe:zhipu-jwt'}}}", "providers.zhipu.api_key (line 1): required by zhipu-jwt"),
        (
            "{providers: {qwen: {auth_settings: {region: 'r'}}}}",
            "providers.qwen.auth_settings.region (line 1): only with a recipe in auth"
        ),
        ("{adapters_directory: '/nowhere'}", "adapters_directory: \"/nowhere\": there is no such file"),
        ("{unsupported: 'maybe'}", "unsupported (line 1): strict, warn or drop"),
    ])
    func `that do not fit a configuration are mistakes`(text: String, wanted: String) {
        do {
            _ = try Self.load(text)
            Issue.record("no mistake")
        } catch {
            #expect(error.description.contains(wanted), "\(error)")
        }
    }

    @Test func `with one name are a mistake, and one mistake does not hide another`() {
        do {
            _ = try Self.load(
                "{}",
                [
                    "/etc/adapters/a.json5": "{name: 'x', title: 'A'}",
                    "/etc/adapters/b.json5": "{name: 'x', title: 'B'}", "/etc/adapters/c.json5": "{nam: 1}",
                ])
            Issue.record("no mistake")
        } catch {
            #expect(
                error.description.contains(
                    "/etc/adapters/b.json5: name: a name that no other file has, found that of /etc/adapters/a.json5"))
            #expect(error.description.contains("/etc/adapters/c.json5: nam (line 1): unknown key"), "\(error)")
        }
    }
}
