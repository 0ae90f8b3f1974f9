import SluiceConfig
import Testing

@Suite struct `A command line` {
    static let parser = ArgumentParser(
        program: "sluice", summary: "a sidecar proxy for AI traffic", version: "1.0",
        commands: [
            .init(
                "run", summary: "serve requests",
                options: [
                    .init("config", "FILE", doc: "read the configuration from FILE"),
                    .init("listen", "ADDRESS", isRepeatable: true, doc: "listen on ADDRESS"),
                    .init("workers", "N", doc: "use N threads"), .init("quiet", doc: "say nothing"),
                ]),
            .init("check", summary: "report the mistakes of a configuration", operands: ["FILE"]),
        ])

    static func parsed(_ arguments: String...) throws -> Arguments {
        guard case .command(let arguments) = try parser.parse(arguments) else { throw UsageError("an answer") }
        return arguments
    }

    @Test func `gives options in both spellings, flags, repeated options and operands`() throws {
        let run = try Self.parsed(
            "run", "--config", "a.json5", "--listen=a", "--listen", "b=c", "--quiet", "--workers=2")
        #expect(run.command == "run")
        #expect(run.text("config") == "a.json5")
        #expect(run.texts("listen") == ["a", "b=c"])
        #expect(run.has("quiet"))
        #expect(try run.integer("workers", in: 1...256) == 2)
        #expect(try Self.parsed("check", "--", "--odd").operands == ["--odd"])
    }

    @Test func `help ends with what a command has to add`() {
        let command = ArgumentParser.Command("mock", summary: "practise", details: "Words\n  cut  ends a stream\n")
        #expect(Self.parser.help(for: command).hasSuffix("--help  show this\n\nWords\n  cut  ends a stream\n"))
    }

    @Test func `without a command means the first`() throws {
        #expect(try Self.parsed().command == "run")
        #expect(try Self.parsed("--workers", "-1").text("workers") == "-1")
        #expect(try Self.parsed().text("config") == nil)
        #expect(try Self.parsed().has("quiet") == false)
    }

    @Test(arguments: [
        (["rum"], #"unknown command "rum", did you mean "run"? commands: run, check"#),
        (["zzzzzz"], #"unknown command "zzzzzz"; commands: run, check"#),
        (["--confg", "x"], #"unknown option "--confg", did you mean --config? sluice run --help lists the options"#),
        (["-config"], #"unknown option "-config", did you mean --config? sluice run --help lists the options"#),
        (["check", "--listen=x", "a"], #"unknown option "--listen"; sluice check --help lists the options"#),
        (["--config"], "--config needs a value: --config FILE"),
        (["--config", "--quiet"], "--config needs a value: --config FILE"),
        (["--quiet=1"], "--quiet takes no value"), (["--config=a", "--config=b"], "--config is given twice"),
        (["check"], "FILE is missing: sluice check FILE"),
        (["check", "a", "b"], #""b" is one argument too many for sluice check"#),
        (["run", "x"], #""x" is one argument too many for sluice run"#),
        (["help", "chek"], #"unknown command "chek", did you mean "check"? commands: run, check"#),
    ])
    func `that makes no sense is refused`(arguments: [String], message: String) {
        #expect(throws: UsageError(message)) { try Self.parser.parse(arguments) }
    }

    @Test func `with a number out of range is refused`() throws {
        let arguments = try Self.parsed("--workers", "x")
        #expect(throws: UsageError(#"--workers: 1 to 256, found "x""#)) {
            try arguments.integer("workers", in: 1...256)
        }
    }

    @Test func `explains itself`() throws {
        let help = """
            sluice: a sidecar proxy for AI traffic

            usage: sluice [command] [options]

              run    serve requests (when no command is named)
              check  report the mistakes of a configuration

            sluice help COMMAND, or sluice COMMAND --help, says more; --version names the version.

            """
        #expect(try Self.parser.parse(["help"]) == .answer(help))
        let run = """
            serve requests

            usage: sluice run [options]

              --config FILE     read the configuration from FILE
              --listen ADDRESS  listen on ADDRESS (may be repeated)
              --workers N       use N threads
              --quiet           say nothing
              --help            show this

            """
        #expect(try Self.parser.parse(["--help"]) == .answer(help))
        #expect(try Self.parser.parse(["run", "-h"]) == .answer(run))
        #expect(try Self.parser.parse(["help", "run"]) == .answer(run))
        #expect(try Self.parser.parse(["--version"]) == .answer("sluice 1.0\n"))
    }
}
