internal import Glibc

@main
enum SluiceBench {
    /// What the platform has to carry, requests per second.
    private static let rateMin = 1_000.0

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "upstream" { UpstreamCommand.run(arguments.dropFirst()) }
        let options: Options
        let rows: [any Row]
        do {
            options = try Options(arguments)
            rows = try options.rows()
        } catch {
            Terminal.note("sluice-bench: \(error)")
            exit(2)
        }
        if options.wantsHelp || options.wantsList {
            Terminal.say(options.wantsHelp ? Options.help : Table.list(rows))
            exit(0)
        }
        do {
            exit(try measure(rows, options))
        } catch {
            Terminal.note("sluice-bench: \(error)")
            exit(3)
        }
    }

    private static func measure(_ rows: [any Row], _ options: Options) throws(Failure) -> Int32 {
        try Cleanup.handleSignals()
        defer { Cleanup.run() }
        let machine = Machine()
        let settings = Limits.fit(options.settings)
        Processor.unpin()
        Limits.minimiseTimerSlack()
        let subjects = try Subjects.chosen(options)
        if !machine.isQuiet { Terminal.note("note: the machine is busy (load \(machine.loadAverage))") }
        if !Processor.canPin { Terminal.note("note: one core only: proxy, upstream and load share it") }
        let runner = Runner(
            stage: try Stage(sluicePath: try Subjects.sluicePath(options)), subjects: subjects, settings: settings,
            isThorough: options.subjectNames != nil, absent: Subjects.absent(options)
        ) { Terminal.note($0) }
        let results = try runner.run(rows)
        Terminal.say("\n\(machine.date)  \(machine.processor), \(Processor.coreCount) cores, Linux \(machine.kernel)")
        Terminal.say(Table.text(results))
        if let path = options.jsonPath {
            let versions = Dictionary(uniqueKeysWithValues: subjects.map { ($0.name, $0.version) })
            let text = ResultFile.text(results, machine: machine, settings: settings, versions: versions)
            try Files.write(text, to: path)
        }
        return status(of: results, isStrict: options.isStrict)
    }

    private static func status(of results: Results, isStrict: Bool) -> Int32 {
        if let rate = results.sustainedRate, rate < rateMin {
            Terminal.note("\(results.judged) kept up \(Text.short(rate)) of \(Text.short(rateMin)) requests per second")
            return 1
        }
        let failed = results.failedLines
        if isStrict && !failed.isEmpty {
            Terminal.note("\(failed.count) bars missed")
            return 1
        }
        return 0
    }
}
