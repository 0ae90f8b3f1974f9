// sluice-micro [PREFIX]: a line for every case whose name starts with PREFIX.
let measure = Measure(prefix: CommandLine.arguments.dropFirst().first ?? "")
measureJSON(measure)
measureWire(measure)
measureDialects(measure)
measureRouting(measure)
measurePolicy(measure)
measureRecords(measure)
measureAccess(measure)
