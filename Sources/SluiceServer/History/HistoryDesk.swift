internal import SluiceCore
internal import SluicePipeline
internal import SluiceStorage
internal import SluiceTLS
internal import Synchronization

/// Reads records for whoever asks, on the clerk's thread: never on a worker, and never on the writer's.
final class HistoryDesk: Sendable {
    /// Used on the clerk's thread alone.
    private final class Reader {
        var history: RecordHistory?
        var path: String?
    }

    private let lasting: LastingState
    private let clerk = Clerk("history", queueMax: 64)
    nonisolated(unsafe) private let reader = Reader()  // the clerk's thread alone touches it

    init(_ lasting: LastingState) { self.lasting = lasting }

    /// Has `work` done with the records.
    ///
    /// - Throws: `notFound` where nothing is recorded, `storageUnavailable` where it cannot be read.
    func read<Value: Sendable>(
        _ work: @escaping @Sendable (RecordHistory) throws(DatabaseError) -> Value
    ) async throws(ManagementError) -> Value {
        guard let settings = lasting.records.settings else {
            throw ManagementError(.notFound, "Nothing is recorded here: the configuration has no `records`.")
        }
        let result = await outcome(settings, work)
        switch result {
        case .success(.success(let value)): return value
        case .success(.failure(let error)): throw Self.refusal(error)
        case .failure(let error): throw error
        }
    }

    private func outcome<Value: Sendable>(
        _ settings: RecordStoreSettings, _ work: @escaping @Sendable (RecordHistory) throws(DatabaseError) -> Value
    ) async -> Result<Result<Value, DatabaseError>, ManagementError> {
        do throws(ManagementError) {
            return .success(
                try await clerk.run { [self] in
                    do throws(DatabaseError) {
                        return .success(try work(try open(settings)))
                    } catch {
                        // A file that was moved away or replaced: the next question opens what is there then.
                        if error.kind != .timeout { unsafe reader.history = nil }
                        return .failure(error)
                    }
                })
        } catch {
            return .failure(error)
        }
    }

    private func open(_ settings: RecordStoreSettings) throws(DatabaseError) -> RecordHistory {
        if let history = unsafe reader.history, unsafe reader.path == settings.path { return history }
        let history = try RecordHistory(settings, vault: lasting.vault)
        unsafe reader.history = history
        unsafe reader.path = settings.path
        return history
    }

    private static func refusal(_ error: DatabaseError) -> ManagementError {
        error.kind == .timeout
            ? ManagementError(
                .managementTimeout, "It would take too long. Ask for less: a shorter time, one user or one model.")
            : ManagementError(.storageUnavailable, "The records cannot be read at the moment.")
    }
}
