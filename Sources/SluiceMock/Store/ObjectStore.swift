internal import SluiceCore
internal import Synchronization

/// Files, uploads, batches and responses that clients come back for: kept in memory, bounded, shared by all workers.
final class ObjectStore: Sendable {
    struct Objects: Sendable {
        var files: [String: StoredFile] = [:]
        var uploads: [String: StoredUpload] = [:]
        var batches: [String: StoredBatch] = [:]
        /// Whole response objects by id, and their order, oldest first.
        fileprivate var responses: [String: [UInt8]] = [:]
        fileprivate var responseOrder: [String] = []
        /// Bytes of files and parts.
        fileprivate(set) var byteCount = 0
        private var lastNumber = 0

        /// The number of a new object: lists are in its order.
        mutating func nextNumber() -> Int {
            lastNumber += 1
            return lastNumber
        }

        var objectCount: Int { files.count + uploads.count + batches.count }
    }

    /// Bounds of what is kept: bytes of files and parts, objects, responses and their bytes.
    static let byteCountMax = 256 << 20
    static let objectsMax = 10_000
    private static let responsesMax = 256
    private static let responseByteCountMax = 262_144

    private let objects = Mutex(Objects())

    func withObjects<Result: Sendable>(_ body: (inout Objects) -> Result) -> Result {
        objects.withLock { body(&$0) }
    }

    func reset() { objects.withLock { $0 = Objects() } }

    // MARK: Files

    /// - Returns: `nil` if there is no room.
    func add(file bytes: [UInt8], id: String, filename: String, purpose: String, lifetime: Int?) -> StoredFile? {
        objects.withLock { objects in
            guard objects.reserve(bytes.count) else { return nil }
            let created = WallClock.seconds
            let file = StoredFile(
                id: id, number: objects.nextNumber(), created: created, filename: filename, purpose: purpose,
                expiresAt: lifetime.map { created + $0 }, bytes: bytes)
            objects.files[id] = file
            return file
        }
    }

    func file(_ id: String) -> StoredFile? { objects.withLock { $0.files[id] } }

    func removeFile(_ id: String) -> Bool {
        objects.withLock { objects in
            guard let file = objects.files.removeValue(forKey: id) else { return false }
            objects.byteCount -= file.bytes.count
            return true
        }
    }

    // MARK: Responses

    /// Keeps a response; the oldest goes when there are too many.
    func add(response: Span<UInt8>, id: String) {
        if response.count > Self.responseByteCountMax { return }
        let bytes = Array(copying: response)
        objects.withLock { objects in
            if objects.responses.updateValue(bytes, forKey: id) == nil { objects.responseOrder.append(id) }
            if objects.responseOrder.count <= Self.responsesMax { return }
            objects.responses.removeValue(forKey: objects.responseOrder.removeFirst())
        }
    }

    func response(_ id: String) -> [UInt8]? { objects.withLock { $0.responses[id] } }

    func removeResponse(_ id: String) -> Bool {
        objects.withLock { objects in
            guard objects.responses.removeValue(forKey: id) != nil else { return false }
            objects.responseOrder.removeAll { $0 == id }
            return true
        }
    }
}

extension ObjectStore.Objects {
    /// Makes room for an object with so many bytes.
    mutating func reserve(_ count: Int) -> Bool {
        guard objectCount < ObjectStore.objectsMax, count <= ObjectStore.byteCountMax - byteCount else { return false }
        byteCount += count
        return true
    }

    mutating func release(_ count: Int) { byteCount -= count }
}
