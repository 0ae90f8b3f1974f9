internal import SluiceCore

/// A file that was uploaded, or that a batch wrote.
struct StoredFile: Sendable {
    let id: String
    let number: Int
    let created: Int
    let filename: String
    let purpose: String
    let expiresAt: Int?
    let bytes: [UInt8]
}

/// A file that comes in parts.
struct StoredUpload: Sendable {
    enum Status: String, Sendable { case pending, completed, cancelled }

    let id: String
    let created: Int
    let filename: String
    let purpose: String
    let byteCount: Int
    var parts: [(id: String, bytes: [UInt8])] = []
    var status = Status.pending
    var fileID: String?
}

/// A batch. It goes a step further each time it is looked at: in progress, then completed.
struct StoredBatch: Sendable {
    enum Status: String, Sendable {
        case validating
        case inProgress = "in_progress"
        case finalizing, completed, failed, cancelled
    }

    let id: String
    let number: Int
    let created: Int
    let endpoint: String
    let inputFileID: String
    let window: String
    /// JSON, as it was sent.
    let metadata: [UInt8]
    var status = Status.validating
    var mistake: String?
    var outputFileID: String?
    var errorFileID: String?
    var completedCount = 0
    var failedCount = 0
}
