/// Which proxies are there to be measured.
enum Subjects {
    /// All that there may be, the one to be judged first.
    static let names = ["sluice", "nginx", "haproxy", "envoy", "smg", "litellm"]

    /// Those that take many seconds to start, for every row.
    static let slow = ["litellm"]

    /// Those that a run without `--subjects` would have measured, had they been there.
    static func absent(_ options: Options) -> [String] {
        options.subjectNames == nil ? names.dropFirst().filter { Program.path(of: $0) == nil } : []
    }

    /// The subjects asked for, the judged one first.
    static func chosen(_ options: Options) throws(Failure) -> [any Subject] {
        let absent = absent(options)
        let skipped = options.settings.skipsSlow ? slow : []
        let names = options.subjectNames ?? names.filter { !absent.contains($0) && !skipped.contains($0) }
        var subjects: [any Subject] = []
        for name in names where !subjects.contains(where: { $0.name == name }) {
            subjects.append(try subject(named: name, options))
        }
        guard !subjects.isEmpty else { throw Failure("no subjects") }
        return subjects
    }

    private static func subject(named name: String, _ options: Options) throws(Failure) -> any Subject {
        switch name {
        case "sluice":
            return SluiceSubject(binary: try sluicePath(options))
        case "nginx": return NginxSubject(binary: try installed(name))
        case "haproxy": return HAProxySubject(binary: try installed(name))
        case "envoy": return EnvoySubject(binary: try installed(name))
        case "smg": return SMGSubject(binary: try installed(name))
        case "litellm": return LiteLLMSubject(binary: try installed(name))
        default: throw Failure("no subject \(name); there are \(names.joined(separator: ", "))")
        }
    }

    /// The binary to measure, which is the mock as well.
    static func sluicePath(_ options: Options) throws(Failure) -> String {
        let path = if let given = options.sluicePath { given } else { try beside(try Program.own()) }
        guard Program.isExecutable(path) else { throw Failure("\(path) is not there; build it, or use --sluice") }
        return path
    }

    private static func installed(_ name: String) throws(Failure) -> String {
        guard let path = Program.path(of: name) else { throw Failure("\(name) is not installed") }
        return path
    }

    private static func beside(_ path: String) throws(Failure) -> String {
        guard let slash = path.lastIndex(of: "/") else { throw Failure("\(path) is not a path") }
        return path[...slash] + "sluice"
    }
}
