internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceStorage

/// Keeps what goes to an application, while it goes, within a bound: its bytes, or what a stream says.
final class ReplyRecording: ReplyTap {
    private(set) var status: Status = 0
    private(set) var isComplete = false
    private(set) var isEventStream = false
    /// The reply is longer than what is kept.
    private(set) var isTooLong = false
    /// Fields that a repeated reply has again, where replies are repeated as they were.
    private(set) var fields: [CacheEntry.Field] = []
    private(set) var stream: StreamCollector?

    let keepsStreams: Bool
    let byteCountMax: Int
    private let makeCollector: () -> StreamCollector?
    private var hasCoding = false
    private var bytes: ByteBuffer?
    /// Whether nobody else refers to `bytes`.
    private var ownsBytes = false
    private static let keptFields: [StaticString] = ["x-sluice-dropped-fields", "x-sluice-adapted-fields"]

    /// - Parameters:
    ///   - keepsStreams: whether the bytes of streams are kept as well.
    ///   - makeCollector: reads streams; `nil` where nobody wants to know what they say.
    init(keepsStreams: Bool, byteCountMax: Int, makeCollector: @escaping () -> StreamCollector?) {
        self.keepsStreams = keepsStreams
        self.byteCountMax = byteCountMax
        self.makeCollector = makeCollector
    }

    /// The reply's bytes, if all of them were kept; nobody changes them any more.
    var body: ByteBuffer? {
        if !isComplete || isTooLong || hasCoding || isEventStream && !keepsStreams { return nil }
        return bytes ?? ByteBuffer(capacity: 16)
    }

    /// Whether it is known that there will be nothing to keep.
    var hasGivenUp: Bool { isTooLong || stream?.hasGivenUp == true }

    // MARK: ReplyTap

    func began(_ head: ResponseHead) {
        status = head.status
        hasCoding = head.fields.contains(.contentEncoding)
        if keepsStreams { keep(head.fields) }
        isEventStream = Relaying.isEventStream(head)
        if isEventStream, status == 200 { stream = makeCollector() }
    }

    private func keep(_ received: HeaderFields) {
        if let type = received.text(.contentType) {
            fields.append(CacheEntry.Field(name: "content-type", value: type))
        }
        for name in Self.keptFields {
            guard let index = received.index(named: name) else { continue }
            fields.append(CacheEntry.Field(name: "\(name)", value: String(decoding: received.value(at: index))))
        }
    }

    func passed(_ bytes: Span<UInt8>) {
        stream?.received(bytes)
        if !keeps(bytes.count) { return }
        if self.bytes == nil || !ownsBytes { own(bytes.count) }
        self.bytes?.append(bytes)
    }

    func passed(sharing buffer: ByteBuffer) {
        if stream == nil, bytes == nil {
            if keeps(buffer.count) { bytes = buffer }
            return
        }
        passed(buffer.span)
    }

    func completed() { isComplete = true }

    private func keeps(_ byteCount: Int) -> Bool {
        if isTooLong || hasCoding || isEventStream && !keepsStreams { return false }
        if (bytes?.count ?? 0) + byteCount <= byteCountMax { return true }
        isTooLong = true
        bytes = nil
        return false
    }

    private func own(_ byteCount: Int) {
        let fresh = ByteBuffer(capacity: (bytes?.count ?? 0) + byteCount)
        if let bytes { fresh.append(bytes.span) }
        bytes = fresh
        ownsBytes = true
    }
}
