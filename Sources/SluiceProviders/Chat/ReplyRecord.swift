internal import SluiceCore
internal import SluiceJSON

/// What of an answer has gone out, for a second answer to be compared with, or to go on from.
///
/// Kept as it stands in JSON strings: what it says is only worked out when it is needed.
package final class ReplyRecord {
    package enum Kind: Equatable, Sendable { case text, reasoning, refusal }

    /// Pieces of one kind that follow each other.
    package struct Run: Equatable, Sendable {
        package let kind: Kind
        /// The text itself.
        package var bytes: [UInt8]

        package init(kind: Kind, bytes: [UInt8]) {
            self.kind = kind
            self.bytes = bytes
        }
    }

    private let bytes: ByteBuffer
    /// Where each run ends in `bytes`.
    private var runs: [(kind: Kind, end: Int)] = []
    private let byteCountMax: Int
    /// More turns between text and reasoning than an answer has.
    private static let runsMax = 64
    /// Something went out that cannot be compared, or more than is kept.
    package private(set) var isLost = false
    /// Blocks of reasoning with a seal, which another answer seals otherwise.
    package private(set) var sealCount = 0
    package var opening = ReplyOpening()

    /// - Parameter byteCountMax: of the answer as it stands in JSON.
    package init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
        bytes = ByteBuffer(capacity: 64)
    }

    package var byteCount: Int { bytes.count }
    /// Whether all of it is text: what a message of the assistant can say.
    package var isText: Bool { !isLost && sealCount == 0 && runs.allSatisfy { $0.kind == .text } && !bytes.isEmpty }

    /// - Parameter escaped: the inside of a JSON string.
    package func append(_ kind: Kind, escaped: Span<UInt8>) {
        if isLost || escaped.isEmpty { return }
        bytes.append(escaped)
        noteEnd(of: kind)
    }

    package func append(_ kind: Kind, _ text: ReplyText) {
        if isLost || text.isEmpty { return }
        text.append(escapedTo: bytes)
        noteEnd(of: kind)
    }

    @inline(__always) private func noteEnd(of kind: Kind) {
        let last = runs.count - 1
        if last >= 0, runs[last].kind == kind { runs[last].end = bytes.count } else { runs.append((kind, bytes.count)) }
        if bytes.count > byteCountMax || runs.count > Self.runsMax { lose() }
    }

    package func appendSeal() { sealCount += 1 }

    /// Something went out that no second answer can be compared with: a tool call, a picture, another choice.
    package func lose() {
        isLost = true
        bytes.removeAll()
        runs = []
    }

    /// What has been said, in order.
    package func decoded() -> [Run] {
        let bytes = bytes
        var start = 0
        var decoded: [Run] = []
        for run in runs {
            let text = ByteBuffer(capacity: run.end - start)
            JSONText.read(bytes.span.extracting(start..<run.end), to: text)
            decoded.append(Run(kind: run.kind, bytes: Array(copying: text.span)))
            start = run.end
        }
        return decoded
    }
}

/// What the beginning of a stream said of itself, so that another provider's answer can go on under its name.
package struct ReplyOpening: Sendable, Equatable {
    package var id: String?
    package var model: String?
    /// Seconds since 1970.
    package var created: Int?
    package var fingerprint: String?
    /// For Messages: how many blocks have begun, and whether the last is a text that has not ended.
    package var blockCount = 0
    package var isTextOpen = false

    package init() {}
}

extension Array where Element == UInt8 {
    fileprivate init(copying span: Span<UInt8>) {
        self.init()
        reserveCapacity(span.count)
        for index in span.indices { append(span[index]) }
    }
}
