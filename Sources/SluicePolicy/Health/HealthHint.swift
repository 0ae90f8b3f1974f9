internal import SluiceCore

/// What one process tells the others of a target: that its breaker is open, or that one of its keys is closed.
///
/// A hint, no order: whoever hears it bounds the time by its own settings, and what it knows itself counts for more. As text, with the
/// parts in this order and bars between them: `1|SENDER|open|1500|PROVIDER|MODEL`, `1|SENDER|closed:0/2|1500|PROVIDER|MODEL`. Times
/// are in milliseconds; the model is last, as it may have bars in it.
package struct HealthHint: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case breakerOpen
        /// One of so many keys, by its place; or `KeyClosures.noKey` or `everyKey`. Processes with another number of keys have other
        /// keys.
        case keyClosed(Int, of: Int)
    }

    package var kind: Kind
    /// Which process says so: everybody hears its own hints too.
    package var sender: UInt64
    package var target: TargetID
    package var wait: Duration

    /// Longer hints are none.
    package static let byteCountMax = 1024
    private static let waitMilliseconds = 1...86_400_000
    private static let keyCountMax = 1024

    package init(_ kind: Kind, _ target: TargetID, wait: Duration, sender: UInt64) {
        self.kind = kind
        self.target = target
        self.wait = wait
        self.sender = sender
    }

    package var text: String {
        let kind =
            switch kind {
            case .breakerOpen: "open"
            case .keyClosed(let key, let count): "closed:\(key)/\(count)"
            }
        return
            "1|\(String(sender, radix: 16))|\(kind)|\(wait.nanoseconds / 1_000_000)|\(target.provider)|\(target.model)"
    }

    /// - Returns: `nil` for what is no hint of this version.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.byteCountMax else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(
            separator: "|", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "1", let sender = UInt64(parts[1], radix: 16),
            let kind = Self.kind(parts[2]), let milliseconds = Int(parts[3]),
            Self.waitMilliseconds.contains(milliseconds)
        else { return nil }
        self.init(
            kind, TargetID(provider: String(parts[4]), model: String(parts[5])), wait: .milliseconds(milliseconds),
            sender: sender)
    }

    private static func kind(_ text: Substring) -> Kind? {
        if text == "open" { return .breakerOpen }
        guard text.hasPrefix("closed:") else { return nil }
        let numbers = text.dropFirst("closed:".count).split(separator: "/", omittingEmptySubsequences: false)
        guard numbers.count == 2, let key = Int(numbers[0]), let count = Int(numbers[1]), 0...keyCountMax ~= count,
            key == KeyClosures.noKey || key == KeyClosures.everyKey || 0..<count ~= key
        else { return nil }
        return .keyClosed(key, of: count)
    }
}
