package import SluiceCore
internal import Synchronization

/// What key commands gave, so that they run at the start and when keys are rotated, not whenever a file changes.
package final class RememberedCommands: Sendable {
    private let outputs = Mutex<[MasterKeyCommand: Secret]>([:])

    package init() {}

    /// What the command gave last time, or gives now. Running it blocks.
    package func output(of command: MasterKeyCommand) throws(MasterKeyCommand.Failure) -> Secret {
        if let output = outputs.withLock({ $0[command] }) { return output }
        let output = try command.run()
        outputs.withLock { $0[command] = output }
        return output
    }

    /// Runs a command anew. If it fails, what it gave before stays.
    package func refresh(_ command: MasterKeyCommand) throws(MasterKeyCommand.Failure) {
        let output = try command.run()
        outputs.withLock { $0[command] = output }
    }
}
