/// Which of several certificates answers for a server name (RFC 6066 §3, matched as RFC 9525 §6.3 says).
struct IdentityTable: Sendable, Equatable {
    /// The longest host name (RFC 1035 §2.3.4), in bytes.
    static let nameByteCountMax = 255

    private var exact: [String: Int] = [:]
    /// By what follows "*.".
    private var wildcards: [String: Int] = [:]

    /// Adds the names of certificate number `index`. A name that an earlier one has stays with it.
    mutating func add(_ names: [String], _ index: Int) {
        for name in names {
            let name = Self.canonical(name)
            if name.hasPrefix("*.") {
                let suffix = String(name.dropFirst(2))
                if wildcards[suffix] == nil { wildcards[suffix] = index }
            } else if exact[name] == nil {
                exact[name] = index
            }
        }
    }

    /// The number of the certificate for a name: an exact match before a wildcard, which stands for one label.
    func index(for serverName: String) -> Int? {
        if serverName.utf8.count > Self.nameByteCountMax { return nil }
        let name = Self.canonical(serverName)
        if let index = exact[name] { return index }
        guard let dot = name.firstIndex(of: "."), dot > name.startIndex else { return nil }
        return wildcards[String(name[name.index(after: dot)...])]
    }

    private static func canonical(_ name: String) -> String {
        var bytes = Array(name.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        return String(decoding: bytes.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
