/// The command line.
struct Options {
    static let help = """
        sluice-bench: what Sluice costs, beside other proxies on the same work

        Starts `sluice mock` and each proxy in turn, puts load on it and prints a table. The proxy has core 0 to
        itself, upstream and load share core 1; closed loops, which the mock would hold up there, have a stand-in
        with canned replies instead. CPU is user and system time of the proxy's whole process tree. Proxies
        take turns within a round, each row starts them afresh, numbers are medians over the rounds, and ratios are
        taken within a round. Latency counts from when a request was due (coordinated omission corrected).

        usage: sluice-bench [options]
          --sluice FILE      the binary to measure (default: sluice beside sluice-bench)
          --subjects LIST    of \(Subjects.names.joined(separator: ", ")); the first is judged, and all do every row
                             in every round. Default: those that are installed; nginx is the yardstick of every row,
                             the others do what any proxy does, in the first round
          --only LIST        rows: \(Rows.all.map(\.id).joined(separator: " "))
          --runs N           rounds (default 3)
          --upstream NAME    mock or stand-in under every row (default: what --list shows)
          --window SECONDS   length of a measurement (default 2)
          --rate N           requests per second of the open loop (default 1000)
          --silent N         silent streams (default 9000)
          --soak TIME        how long the soak goes on: 90s, 30m, 72h (default 45s)
          --quick            all rows in a few minutes, without \(Subjects.slow.joined()): for a check, not to compare by
          --strict           exit status 1 when any bar is missed
          --json FILE        write every number of every round
          --list             print the rows and what each must reach

        exit status: 0 done; 1 fewer than 1000 requests per second, or with --strict a bar missed; 2 wrong usage;
        3 nothing could be measured

        sluice-bench upstream (--port N | --fd N) runs the stand-in upstream alone.
        """

    var settings = Settings()
    var sluicePath: String?
    var subjectNames: [String]?
    var rowIDs: [String]?
    var jsonPath: String?
    var isStrict = false
    var wantsHelp = false
    var wantsList = false

    /// - Throws: `Failure` that says which argument is wrong.
    init(_ arguments: some Sequence<String>) throws(Failure) {
        let arguments = Array(arguments)
        // What `--quick` sets, other options change, wherever they stand.
        if arguments.contains("--quick") { settings = .quick }
        var iterator = arguments.makeIterator()
        while let argument = iterator.next() {
            switch argument {
            case "--quick": continue
            case "--strict": isStrict = true
            case "--list": wantsList = true
            case "--help", "-h": wantsHelp = true
            case "--sluice": sluicePath = try Self.value(of: argument, &iterator)
            case "--json": jsonPath = try Self.value(of: argument, &iterator)
            case "--subjects": subjectNames = try Self.list(of: argument, &iterator)
            case "--only": rowIDs = try Self.list(of: argument, &iterator)
            case "--upstream": settings.upstream = try Self.upstream(of: argument, &iterator)
            case "--runs": settings.runs = try Self.number(of: argument, 1...100, &iterator)
            case "--window": settings.window = try Self.number(of: argument, 1...3_600, &iterator) * Clock.second
            case "--soak": settings.soak = try Self.duration(of: argument, &iterator)
            case "--rate": settings.rate = try Self.number(of: argument, 1...100_000, &iterator)
            case "--silent": settings.silentStreamCount = try Self.number(of: argument, 1...100_000, &iterator)
            default: throw Failure("unknown argument \(argument); try --help")
            }
        }
    }

    /// The rows asked for, in the table's order.
    func rows() throws(Failure) -> [any Row] {
        guard let rowIDs else { return Rows.all }
        for id in rowIDs where !Rows.all.contains(where: { $0.id == id }) {
            throw Failure("no row \(id); there are \(Rows.all.map(\.id).joined(separator: ", "))")
        }
        return Rows.all.filter { rowIDs.contains($0.id) }
    }

    private static func value(of name: String, _ rest: inout IndexingIterator<[String]>) throws(Failure) -> String {
        guard let value = rest.next() else { throw Failure("\(name) needs a value") }
        return value
    }

    private static func list(of name: String, _ rest: inout IndexingIterator<[String]>) throws(Failure) -> [String] {
        try value(of: name, &rest).split(separator: ",").map(String.init)
    }

    private static func upstream(
        of name: String, _ rest: inout IndexingIterator<[String]>
    ) throws(Failure) -> UpstreamKind {
        let text = try value(of: name, &rest)
        guard let upstream = UpstreamKind(rawValue: text) else {
            throw Failure(
                "\(name): \(text) is none of \(UpstreamKind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return upstream
    }

    /// Nanoseconds: a number with `s`, `m` or `h` after it; between ten seconds and a thousand hours.
    private static func duration(
        of name: String, _ rest: inout IndexingIterator<[String]>
    ) throws(Failure) -> Int {
        let text = try value(of: name, &rest)
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), count > 0, count <= 3_600_000,
            (10...3_600_000).contains(count * unit)
        else { throw Failure("\(name): \(text) is not a time like 90s, 30m or 72h") }
        return count * unit * Clock.second
    }

    private static func number(
        of name: String, _ range: ClosedRange<Int>, _ rest: inout IndexingIterator<[String]>
    ) throws(Failure) -> Int {
        let text = try value(of: name, &rest)
        guard let number = Int(text), range.contains(number) else {
            throw Failure("\(name): \(text) is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
