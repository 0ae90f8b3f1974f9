internal import SluiceConfig

/// The commands of `sluice`: each reads its arguments, does its work and returns the exit status (sysexits(3)).
package enum CommandLineTool {
    private static let usageStatus: Int32 = 64
    static let configurationStatus: Int32 = 78

    package static func run(_ arguments: [String]) -> Int32 {
        do throws(UsageError) {
            switch try parser.parse(arguments) {
            case .answer(let text):
                FileHandleOutput.standardOutput(text)
                return 0
            case .command(let parsed):
                switch parsed.command {
                case "check": return try CheckCommand.run(parsed)
                case "key": return try KeyCommand.run(parsed)
                case "adapters": return AdaptersCommand.run(parsed)
                case "audit": return try AuditCommand.run(parsed)
                case "secret": return try SecretCommand.run(parsed)
                case "mock": return try MockCommand.run(parsed)
                case "inject": return try InjectCommand.run(parsed)
                case "health": return try HealthCommand.run(parsed)
                case "drain": return try DrainCommand.run(parsed)
                default: return try serve(parsed)
                }
            }
        } catch {
            FileHandleOutput.standardError("sluice: \(error)\n")
            return usageStatus
        }
    }

    private static var parser: ArgumentParser {
        ArgumentParser(
            program: "sluice", summary: "A sidecar and edge proxy for AI traffic.", version: Server.version,
            commands: [
                .init(
                    "run",
                    summary:
                        "Serves. Without --config: embedded defaults, and the providers whose keys are in the environment.",
                    options: [
                        .init("config", "FILE", doc: "Configuration (JSON5)."),
                        .init(
                            "listen", "ADDR", isRepeatable: true,
                            doc: "Where applications connect: 127.0.0.1:4010 (default), [::1]:4010, unix:/path."),
                        .init(
                            "trust-everyone",
                            doc: "With --listen: whoever can connect there may ask, and shows no credential."),
                        .init("admin", "ADDR", doc: "Where health is served; default 127.0.0.1:4011."),
                        .init("workers", "N", doc: "Event loops; default: one a processor that is really granted."),
                        .init(
                            "handover", "PATH",
                            doc:
                                "Unix socket: takes the listening sockets over from the Sluice that answers there, and gives them to the next one."
                        ),
                        .init(
                            "set", "JSON", isRepeatable: true,
                            doc: "An object that is merged into the configuration: {log: {level: \"debug\"}}; null removes."),
                        .init("quiet", doc: "Prints no banner."),
                    ]),
                CheckCommand.command, AdaptersCommand.command, KeyCommand.command,
                SecretCommand.command, AuditCommand.command, MockCommand.command, HealthCommand.command,
                DrainCommand.command, InjectCommand.command,
            ])
    }

    // MARK: run

    private static func serve(_ arguments: Arguments) throws(UsageError) -> Int32 {
        var options = Server.Options()
        options.configFile = arguments.text("config")
        for text in arguments.texts("listen") { options.overrides.listen.append(try address(text, option: "listen")) }
        if arguments.has("trust-everyone") {
            if options.overrides.listen.isEmpty { throw UsageError("--trust-everyone: only with --listen") }
            options.overrides.trust = .everyone
        }
        if let text = arguments.text("admin") { options.overrides.admin = try address(text, option: "admin") }
        for text in arguments.texts("set") { options.overrides.settings.append(try settings(text)) }
        options.overrides.workers = try arguments.integer("workers", in: 1...256)
        options.handoverPath = arguments.text("handover")
        options.printsBanner = !arguments.has("quiet")
        do {
            return try Server(options).run()
        } catch let errors as ConfigErrors {
            FileHandleOutput.standardError("\(errors)\n")
            return configurationStatus
        } catch {
            FileHandleOutput.standardError("sluice: \(error)\n")
            return 1
        }
    }

    private static func settings(_ text: String) throws(UsageError) -> ConfigValue {
        do throws(ConfigErrors) {
            let value = try ConfigReader.parse(Array(text.utf8))
            if case .object = value.kind { return value }
        } catch {
            throw UsageError("--set: \(error)")
        }
        throw UsageError("--set: an object, as {log: {level: \"debug\"}}")
    }

    static func address(_ text: String, option: String) throws(UsageError) -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw UsageError("--\(option): \(ListenAddress.allowed), found \(text)")
        }
        return address
    }
}
