internal import CFuzzer

package enum Fuzzer {
    /// Runs until libFuzzer has had enough, with the options of the command line; ends the process when `check` traps.
    @unsafe package static func run(_ check: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32) -> Int32 {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        return unsafe LLVMFuzzerRunDriver(&count, &arguments, check)
    }
}
