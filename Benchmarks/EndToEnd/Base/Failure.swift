/// Why a measurement, or the whole run, could not go on: a sentence for whoever reads the terminal.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
