internal import SluiceConfig
internal import SluiceCore
internal import SluiceJSON

/// What an adapter changes in the messages of a request.
struct MessageTransform: Sendable {
    private struct Removal: Sendable {
        let block: Int
        /// `nil`: of every role.
        let role: [UInt8]?
        let key: [UInt8]
    }

    private var roles: [(block: Int, from: [UInt8], to: String)] = []
    private var removals: [Removal] = []
    /// Blocks that want ids of nine letters and digits, a bit each.
    private var shortIDs: UInt32 = 0
    private var blocks: UInt32 = 0

    mutating func add(_ rule: RequestRules, block: Int) {
        for item in rule.roles { roles.append((block, Array(item.name.utf8), item.value)) }
        for path in rule.messageRemove {
            let parts = path.split(separator: ".", maxSplits: 1).map { Array($0.utf8) }
            removals.append(Removal(block: block, role: parts.count > 1 ? parts[0] : nil, key: parts[parts.count - 1]))
        }
        if rule.toolCallIDs == .alphanumeric9 { shortIDs |= 1 << UInt32(block) }
        let isEmpty = rule.roles.isEmpty && rule.messageRemove.isEmpty && rule.toolCallIDs == .keep
        if !isEmpty { blocks |= 1 << UInt32(block) }
    }

    func apply(_ active: UInt32, to root: JSONValue, _ edits: inout JSONEdits, _ report: inout FieldReport) {
        if blocks & active == 0 { return }
        let shortensIDs = shortIDs & active != 0
        var messages = root.elements(of: "messages")
        var index = 0
        while let message = messages.next() {
            defer { index += 1 }
            guard message.isObject else { continue }
            if let role = message["role"] { rename(role, active, &edits) }
            remove(active, from: message, index, &edits, &report)
            if shortensIDs { shorten(message, &edits) }
        }
    }

    private func rename(_ role: JSONValue, _ active: UInt32, _ edits: inout JSONEdits) {
        for (block, from, to) in roles where active & 1 << UInt32(block) != 0 && role.equals(from.span) {
            edits.replace(role) { $0.string(to) }
        }
    }

    private func remove(
        _ active: UInt32, from message: JSONValue, _ index: Int, _ edits: inout JSONEdits, _ report: inout FieldReport
    ) {
        for removal in removals where active & 1 << UInt32(removal.block) != 0 {
            if let role = removal.role, message["role"]?.equals(role.span) != true { continue }
            guard let value = message[key: removal.key.span] else { continue }
            edits.remove(key: removal.key.span, from: message)
            let name = String(decoding: removal.key.span)
            // What came from a reply of ours means nothing to the platform, and was never asked for by the application.
            let isReply = Self.replyFields.contains(name)
            if !isReply, !FieldReport.holdsAnyway(name, value) { report.lose("messages[\(index)].\(name)") }
        }
    }

    private static let replyFields = ["reasoning_content", "reasoning_details", "refusal", "annotations"]

    // MARK: Ids of calls

    private func shorten(_ message: JSONValue, _ edits: inout JSONEdits) {
        if let id = message["tool_call_id"] { shorten(id: id, &edits) }
        var calls = message.elements(of: "tool_calls")
        while let call = calls.next() { if let id = call["id"] { shorten(id: id, &edits) } }
    }

    private func shorten(id: JSONValue, _ edits: inout JSONEdits) {
        guard let bytes = id.escapedBytes else { return }
        if bytes.count == Self.idByteCount, Self.isAlphanumeric(bytes) { return }
        let short = Self.short(bytes)
        edits.replace(id) { $0.string(short.span) }
    }

    private static let idByteCount = 9
    private static let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    private static func isAlphanumeric(_ bytes: Span<UInt8>) -> Bool {
        for index in bytes.indices where !bytes[index].isASCIILetter && !bytes[index].isDecimalDigit { return false }
        return true
    }

    /// The same for the same id, in every request: a call and its result must agree (FNV-1a, 64 bits).
    static func short(_ id: Span<UInt8>) -> [UInt8] {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in id.indices { hash = (hash ^ UInt64(id[index])) &* 0x100_0000_01B3 }
        var short: [UInt8] = []
        for _ in 0..<idByteCount {
            short.append(characters[Int(hash % 62)])
            hash /= 62
        }
        return short
    }
}
