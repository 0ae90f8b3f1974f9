import SluiceCore
import TestSupport
import Testing

@testable import SluiceConfig

@Suite struct `JSON merge patches` {
    /// RFC 7396, appendix A.
    @Test func `do what the RFC shows`() throws {
        let cases = [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
            (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
            (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
            ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ]
        for (original, patch, result) in cases {
            let found = try ConfigText.parse(original).merging(try ConfigText.parse(patch))
            #expect(found == (try ConfigText.parse(result)), "\(original) \(patch)")
        }
    }

    @Test func `applied twice do what they do once`() {
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let value = RandomTree.object(&random, depth: 3)
            let patch = RandomTree.object(&random, depth: 3)
            let once = value.merging(patch)
            #expect(once.merging(patch) == once, "seed \(seed)")
        }
    }
}

@Suite struct `Layers of a configuration` {
    private func units(_ text: String) throws -> ConfigUnits { try ConfigOverlay.units(of: try ConfigText.parse(text)) }

    @Test func `are put together as they were taken apart`() throws {
        let text = """
            {models: {a: {provider: 'x'}, b: {provider: 'y'}}, timeouts: {total_ms: 5}, rate_limits: [{name: 'r', limit: 1}],
             access: {users: {u: {team: 't'}}}, aliases: {c: 'a'}}
            """
        let units = try units(text)
        #expect(
            units.keys.map(\.key).sorted() == [
                "access.users/u", "aliases/c", "models/a", "models/b", "rate_limits/r", "timeouts",
            ])
        #expect(ConfigOverlay.document(of: units).sorted == (try ConfigText.parse(text)).sorted)
    }

    @Test func `give the file what the file says`() throws {
        let file = try ConfigText.parse("{models: {a: {provider: 'x'}}, timeouts: {total_ms: 5}}")
        let api = try units("{models: {a: {provider: 'y'}, b: {provider: 'y'}}, timeouts: {total_ms: 7}, retries: {}}")
        let both = ConfigOverlay.compose(file: file, api)
        #expect(both.document["models"]?["a"]?["provider"]?.text == "x")
        #expect(both.document["models"]?["b"]?["provider"]?.text == "y")
        #expect(both.document["timeouts"]?["total_ms"]?.kind == .integer(5))
        #expect(both.document["retries"] != nil)
        #expect(both.shadowed.map(\.key) == ["models/a", "timeouts"])
        #expect(Set(both.api.map(\.key)) == ["models/b", "retries"])
    }

    @Test func `never lose or change what the file says, whatever the API has`() {
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let file = RandomTree.configuration(&random)
            guard let api = try? ConfigOverlay.units(of: RandomTree.configuration(&random)),
                let own = try? ConfigOverlay.units(of: file)
            else { continue }
            let both = ConfigOverlay.compose(file: file, api)
            for (unit, value) in own {
                #expect(ConfigOverlay.value(of: unit, in: both.document) == value, "seed \(seed): \(unit.key)")
            }
            for unit in both.api {
                #expect(ConfigOverlay.value(of: unit, in: both.document) == api[unit], "seed \(seed): \(unit.key)")
                #expect(own[unit] == nil, "seed \(seed): \(unit.key)")
            }
            if file["access"] == nil { #expect(both.document["access"] == nil, "seed \(seed)") }
            #expect(both.api.count + both.shadowed.count == api.count, "seed \(seed)")
        }
    }

    @Test(arguments: ["{models: 3}", "{rate_limits: [{limit: 1}]}", "{rate_limits: [{name: 'a'}, {name: 'a'}]}", "[]", "3"])
    func `are refused where a part has no name`(text: String) throws {
        let value = try ConfigText.parse(text)
        #expect(throws: ConfigErrors.self) { try ConfigOverlay.units(of: value) }
    }

    @Test func `tell what is different, entry by entry`() throws {
        let before = try units("{models: {a: {provider: 'x', strategy: 'weighted'}}, timeouts: {total_ms: 5}}")
        let after = try units("{models: {a: {provider: 'y', strategy: 'weighted'}, b: {provider: 'z'}}}")
        let differences = ConfigChange.between(before, after)
        #expect(differences.map(\.path) == ["models.a.provider", "models.b", "timeouts"])
        #expect(differences.map { $0.before == nil } == [false, true, false])
        #expect(differences.map { $0.after == nil } == [false, false, true])
    }

    @Test func `know every setting as the file's alone or as one that may be set otherwise`() {
        let fixed: Set = [
            "listeners", "admin", "workers", "log", "storage", "records", "secrets", "audit", "control", "redis", "access", "metrics",
            "telemetry", "adapters_directory", "environment_providers", "admin_metrics",
        ]
        let reference = ConfigReference.describe { _ = ServerConfiguration.read($0) }
        let keys = Set(reference.sections.filter { $0.path.isEmpty }.flatMap(\.fields).map(\.key))
        #expect(keys.isSubset(of: fixed.union(ConfigUnit.manageable)), "\(keys.subtracting(fixed.union(ConfigUnit.manageable)))")
        #expect(fixed.isDisjoint(with: ConfigUnit.manageable))
        for section in ConfigUnit.manageable where !section.contains(".") { #expect(keys.contains(section), "\(section)") }
    }
}

@Suite struct `Secrets in a configuration's tree` {
    private let paths = SecretPaths(ConfigReference.describe { _ = ServerConfiguration.read($0) })

    @Test func `are found wherever the reader reads one`() throws {
        let document = try ConfigText.parse(
            """
            {providers: {p: {base_url: 'https://a', api_key: 'k1', api_keys: ['k2', 'k3'], headers: {x: 'k4'},
              proxy_credentials: 'k5'}}, redis: {password: 'k6'}, control: {shared_secret: 'k7'}}
            """)
        let shown = paths.masking(document) { _ in ConfigValue(.string("*")) }.json()
        for secret in ["k1", "k4", "k5", "k6", "k7"] { #expect(!shown.contains(secret), "\(secret): \(shown)") }
        #expect(shown.contains("https://a"))
    }
}

/// Trees at random, small enough to collide.
enum RandomTree {
    static func object(_ random: inout SplitMix64, depth: Int) -> ConfigValue {
        var members: [ConfigMember] = []
        for key in ["a", "b", "c"] where Bool.random(using: &random) { members.append(ConfigMember(key, value(&random, depth: depth))) }
        return ConfigValue(.object(members))
    }

    static func value(_ random: inout SplitMix64, depth: Int) -> ConfigValue {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: ConfigValue(.null)
        case 1: ConfigValue(.integer(Int.random(in: 0..<3, using: &random)))
        case 2: ConfigValue(.string("s"))
        case 3: ConfigValue(.list([ConfigValue(.boolean(true))]))
        default: depth == 0 ? ConfigValue(.boolean(false)) : object(&random, depth: depth - 1)
        }
    }

    static func configuration(_ random: inout SplitMix64) -> ConfigValue {
        var members: [ConfigMember] = []
        for section in ["models", "providers", "timeouts", "retries"] where Bool.random(using: &random) {
            members.append(ConfigMember(section, object(&random, depth: 1)))
        }
        var limits: [ConfigValue] = []
        for name in ["x", "y"] where Bool.random(using: &random) {
            limits.append(ConfigValue(.object([ConfigMember("name", ConfigValue(.string(name)))])))
        }
        if !limits.isEmpty { members.append(ConfigMember("rate_limits", ConfigValue(.list(limits)))) }
        if Bool.random(using: &random) {
            members.append(
                ConfigMember("access", ConfigValue(.object([ConfigMember("users", object(&random, depth: 1))]))))
        }
        return ConfigValue(.object(members))
    }
}
