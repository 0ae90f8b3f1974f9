import Foundation
import SluiceConfig
import SluiceCore
import SluiceTLS
import TestSupport
import Testing

@Suite struct `A sealed value in a configuration` {
    static let secret = "sk-golden-secret"
    static let master = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
    static let other = "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P0A"

    private static func vault(_ lines: String...) throws -> SecretVault {
        let text = lines.joined(separator: "\n")
        return SecretVault(try MasterKeys(text: text.utf8Span.span))
    }

    private static func sealed(_ purpose: String, _ lines: String = master) throws -> String {
        try vault(lines).seal(Secret(secret), purpose: purpose)
    }

    private static func load(
        _ text: String, _ files: [String: String] = ["/master": master], _ variables: [String: String] = [:]
    ) throws(ConfigErrors) -> ConfigOutcome<ServerConfiguration> {
        let files = files.mapValues { Array($0.utf8) }
        return try ServerConfiguration.load(
            text: Array(text.utf8), environment: .fixed(variables: variables, files: files))
    }

    private static func text(_ key: String, _ secrets: String = "secrets: {key_file: '/master'},") -> String {
        "{\(secrets) providers: {openai: {api_key: '\(key)'}}}"
    }

    private static func mistakes(_ text: String, _ files: [String: String] = ["/master": master]) -> String {
        do {
            _ = try load(text, files)
            return "none"
        } catch {
            return "\(error)"
        }
    }

    @Test func `is opened while it is read, and shown as any secret`() throws {
        let outcome = try Self.load(Self.text(try Self.sealed("providers.openai.api_key")))
        #expect(outcome.value.provider(named: "openai")?.apiKeys == [Secret(Self.secret)])
        #expect(outcome.value.secrets?.sealedSettings.map(\.name) == ["providers.openai.api_key"])
        #expect(!outcome.effective.json().contains("sealed:") && !outcome.effective.json().contains(Self.secret))
        #expect(outcome.files.contains("/master"))
    }

    @Test func `is opened where a file or a variable holds it`() throws {
        let sealed = try Self.sealed("providers.openai.api_key")
        let files = ["/master": Self.master, "/key": sealed + "\n"]
        let fromFile = try Self.load(Self.text("file:/key"), files)
        let fromVariable = try Self.load(Self.text("env:KEY"), ["/master": Self.master], ["KEY": sealed])
        for outcome in [fromFile, fromVariable] {
            #expect(outcome.value.provider(named: "openai")?.apiKeys == [Secret(Self.secret)])
        }
    }

    @Test func `does not depend on where it stands in a list`() throws {
        let sealed = try Self.sealed("providers.openai.api_key")
        let text = "{secrets: {key_file: '/master'}, providers: {openai: {api_key: ['a', '\(sealed)']}}}"
        #expect(try Self.load(text).value.provider(named: "openai")?.apiKeys.last == Secret(Self.secret))
    }

    @Test func `opens with a key that has been replaced, as long as that is kept`() throws {
        let text = Self.text(
            try Self.sealed("providers.openai.api_key"), "secrets: {key_file: '/new', old_key_files: ['/master']},")
        let value = try Self.load(text, ["/new": Self.other, "/master": Self.master]).value
        #expect(value.provider(named: "openai")?.apiKeys == [Secret(Self.secret)])
        #expect(value.secrets?.keys.ids.count == 2)
    }

    @Test func `that does not open is a mistake that says what to do, and never the key itself`() throws {
        let sealed = try Self.sealed("providers.openai.api_key")
        let elsewhere = try Self.sealed("providers.other.api_key")
        let foreign = try Self.sealed("providers.openai.api_key", Self.other)
        let cases = [
            (Self.mistakes(Self.text(sealed, "")), "there is no master key: name one with secrets.key_file"),
            (Self.mistakes(Self.text(elsewhere)), "sealed for another place"),
            (Self.mistakes(Self.text(foreign)), "which is not here"),
            (Self.mistakes(Self.text(sealed + "A")), "it was changed"),
            (Self.mistakes(Self.text("sealed:v1:zz")), "not a sealed value"),
            (Self.mistakes(Self.text(sealed), [:]), "there is no such file"),
            (Self.mistakes(Self.text(sealed), ["/master": "secret"]), "line 1 is not a key"),
        ]
        for (message, expected) in cases {
            #expect(message.contains(expected), "\(message)")
            #expect(message.contains("providers.openai.api_key") || message.contains("secrets.key_file"), "\(message)")
            #expect(!message.contains(Self.master) && !message.contains("golden"), "\(message)")
        }
    }

    @Test func `is no value of a setting that is no secret, where it would be sent or shown`() throws {
        let sealed = try Self.sealed("default_provider")
        let message = Self.mistakes("{secrets: {key_file: '/master'}, default_provider: '\(sealed)'}")
        #expect(message.contains("this setting is no secret"))
    }

    @Test func `is not taken from a provider's own variable, where nothing says what it is sealed for`() throws {
        let error = #expect(throws: ConfigErrors.self) {
            _ = try Self.load("{}", [:], ["OPENAI_API_KEY": "sealed:v1:x"])
        }
        #expect(error?.description.contains("providers.openai.api_key: \"env:OPENAI_API_KEY\"") == true)
    }

    @Test func `a place's purpose has no list numbers, and keeps those in names`() {
        let places = [
            ("providers.a.api_key", "providers.a.api_key"), ("access.keys[2].secret", "access.keys.secret"),
            ("a[0][1].b[22]", "a.b"), (#"models["x[1]"].key"#, #"models["x[1]"].key"#),
            (#"m["a\"b[3]"][4].k"#, #"m["a\"b[3]"].k"#),
        ]
        for (path, purpose) in places { #expect(ConfigPath.purpose(of: path) == purpose, "\(path)") }
    }

    @Test func `a key comes from one place, and a key file is its owner's alone`() {
        #expect(
            Self.mistakes("{secrets: {key_file: '/master', key_env: 'KEY'}}").contains(
                "one of key_file, key_env and key_command"))
        var environment = ConfigEnvironment.fixed(files: ["/master": Array(Self.master.utf8)])
        environment.mode = { _ in 0o644 }
        let strict = #expect(throws: ConfigErrors.self) {
            _ = try ServerConfiguration.load(
                text: Array("{secrets: {key_file: '/master'}}".utf8), environment: environment)
        }
        #expect(strict?.description.contains("make it 600, or set allow_shared_key_file") == true)
        let told = try? ServerConfiguration.load(
            text: Array("{secrets: {key_file: '/master', allow_shared_key_file: true}}".utf8), environment: environment)
        #expect(told?.value.secrets?.keys.ids.count == 1)
    }
}

@Suite struct `A configuration file whose keys change` {
    private static func vault(_ lines: String...) throws -> SecretVault {
        let text = lines.joined(separator: "\n")
        return SecretVault(try MasterKeys(text: text.utf8Span.span))
    }

    private typealias Sealed = `A sealed value in a configuration`

    @Test func `has its sealed values sealed anew where they stand, and everything else stays`() throws {
        let old = try Self.vault(Sealed.master)
        let one = try old.seal(Secret("one"), purpose: "providers.a.api_key")
        let two = try old.seal(Secret("two"), purpose: "redis.password")
        let text = """
            // The \(one) of a comment follows its value.
            {  providers: { a: {api_key: ["\(one)", 'plain'], /* odd */ } },
              redis: {password: '\(two)'},  }

            """
        var document = try SealedDocument(Array(text.utf8))
        #expect(document.values.map(\.purpose) == ["providers.a.api_key", "redis.password"])
        #expect(document.values.map(\.location.line) == [2, 3])
        let both = try Self.vault(Sealed.other, Sealed.master)
        #expect(try document.rotate(both) == 2)
        let result = String(decoding: document.bytes, as: UTF8.self)
        let again = try SealedDocument(document.bytes)
        let new = try Self.vault(Sealed.other)
        #expect(try new.open(again.values[0].text, purpose: "providers.a.api_key").exposedText == "one")
        #expect(try new.open(again.values[1].text, purpose: "redis.password").exposedText == "two")
        let restored = result.replacing(again.values[0].text, with: one).replacing(again.values[1].text, with: two)
        #expect(restored == text)
        var still = again
        #expect(try still.rotate(both) == 0)
    }

    @Test func `stays as it was if one value does not open`() throws {
        let vault = try Self.vault(Sealed.master)
        let good = try vault.seal(Secret("one"), purpose: "a")
        let bad = try Self.vault(Sealed.other).seal(Secret("two"), purpose: "b")
        let text = Array("{a: '\(good)', b: '\(bad)'}".utf8)
        var document = try SealedDocument(text)
        let error = #expect(throws: SealedDocument.Refusal.self) { _ = try document.rotate(vault) }
        #expect(error?.description.hasPrefix("b (line 1)") == true && document.bytes == text)
    }

    @Test func `differs from another by names, never by values`() throws {
        let old = try ConfigText.parse("{a: {key: 'hush1', same: 1}, list: [1, {x: 'hush2'}], gone: 'hush3'}")
        let new = try ConfigText.parse("{a: {key: 'hush4', same: 1}, list: [1, {x: 'hush5'}], fresh: {y: 'hush6'}}")
        #expect(ChangedSettings.names(from: old, to: new) == ["gone", "a.key", "list[1].x", "fresh"])
        #expect(ChangedSettings.names(from: old, to: old).isEmpty)
    }
}

@Suite struct `A command that fetches a key` {
    private func run(_ script: String, timeout: Duration = .seconds(5), _ variables: [String] = []) throws(MasterKeyCommand.Failure) -> String {
        var command = MasterKeyCommand(arguments: ["/bin/sh", "-c", script])
        command.timeout = timeout
        command.variables = variables
        return try command.run().exposedText
    }

    @Test func `gives what it prints, without a shell of ours and without our environment`() throws {
        #expect(try run("printf 'a b'") == "a b")
        #expect(try MasterKeyCommand(arguments: ["/bin/echo", "$HOME", "; ls"]).run().exposedText == "$HOME ; ls\n")
        unsafe setenv("SLUICE_TEST_SEEN", "yes", 1)
        unsafe setenv("SLUICE_TEST_UNSEEN", "no", 1)
        let seen = try run("env", ["SLUICE_TEST_SEEN"])
        #expect(seen.contains("SLUICE_TEST_SEEN=yes") && !seen.contains("UNSEEN") && !seen.contains("HOME="))
    }

    @Test func `that fails, hangs, floods or is not there says so and nothing of what it wrote`() {
        #expect(throws: MasterKeyCommand.Failure.failed(status: 3)) { try run("echo hush; exit 3") }
        #expect(throws: MasterKeyCommand.Failure.killed(signal: 9)) { try run("kill -9 $$") }
        #expect(throws: MasterKeyCommand.Failure.tooLong) { try run("yes hush") }
        #expect(throws: MasterKeyCommand.Failure.timedOut) { try run("sleep 30", timeout: .milliseconds(150)) }
        #expect(throws: MasterKeyCommand.Failure.timedOut) { try run("exec >&-; sleep 30", timeout: .milliseconds(150)) }
        #expect(throws: MasterKeyCommand.Failure.self) { try MasterKeyCommand(arguments: ["/nonexistent/kms"]).run() }
    }

    @Test func `runs once, until it is asked for anew`() throws {
        let file = NSTemporaryDirectory() + "sluice-key-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let command = MasterKeyCommand(arguments: ["/bin/sh", "-c", "echo x >> \(file); wc -l < \(file)"])
        let commands = RememberedCommands()
        let first = try commands.output(of: command).exposedText
        #expect(try commands.output(of: command).exposedText == first)
        try commands.refresh(command)
        #expect(try commands.output(of: command).exposedText != first)
    }
}
