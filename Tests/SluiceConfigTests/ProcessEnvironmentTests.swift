import Foundation
import SluiceConfig
import Testing

@Suite struct `The environment of the process` {
    @Test func `has variables`() {
        #expect(ConfigEnvironment.process.nonEmptyVariable("PATH") != nil)
        #expect(ConfigEnvironment.process.variable("SLUICE_NO_SUCH_VARIABLE") == nil)
    }

    @Test func `has files, up to a size, and nothing that is not a file`() throws {
        let directory = NSTemporaryDirectory() + "sluice-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let content = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0) })
        try content.write(to: URL(fileURLWithPath: directory + "/file"))
        try Data().write(to: URL(fileURLWithPath: directory + "/empty"))
        #expect(unsafe mkfifo(directory + "/pipe", 0o600) == 0)
        let read = ConfigEnvironment.process.file
        #expect(try read(directory + "/file", 200_000) == Array(content))
        #expect(try read(directory + "/empty", 0) == [])
        #expect(throws: ConfigFileError.tooLarge(byteCountMax: 199_999)) { try read(directory + "/file", 199_999) }
        #expect(throws: ConfigFileError.missing) { try read(directory + "/none", 1) }
        #expect(throws: ConfigFileError.notAFile) { try read(directory, 1) }
        #expect(throws: ConfigFileError.notAFile) { try read(directory + "/pipe", 1) }
    }
}
