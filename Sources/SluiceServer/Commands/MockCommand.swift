internal import SluiceConfig
enum MockCommand {
    static var command: ArgumentParser.Command { .init("mock", summary: "A provider to practise against.") }
    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 { 0 }
}
