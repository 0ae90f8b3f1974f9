internal import SluiceCore

/// The two parts of `host:port` (RFC 3986 §3.2).
package enum HostAndPort {
    /// - Returns: the host in lower case and without brackets, and the port if there is one; `nil` if this is neither a
    ///   name, an IPv4 address nor an IPv6 address in brackets. The port may be any number: the caller knows its range.
    static func split(_ bytes: ArraySlice<UInt8>) -> (host: String, port: Int?)? {
        var host = bytes
        var port: Int?
        let bracket = bytes.lastIndex(of: UInt8(ascii: "]"))
        if let colon = bytes.lastIndex(of: UInt8(ascii: ":")), colon > bracket ?? bytes.startIndex - 1 {
            guard let number = decimal(bytes[(colon + 1)...]) else { return nil }
            port = number
            host = bytes[..<colon]
        }
        let text = String(decoding: host.map(\.asciiLowercased), as: UTF8.self)
        if host.first == UInt8(ascii: "[") {
            guard host.last == UInt8(ascii: "]") else { return nil }
            let address = String(text.dropFirst().dropLast())
            return isIPv6(address) ? (address, port) : nil
        }
        return isIPv4(text) || isName(text) ? (text, port) : nil
    }

    private static func decimal(_ bytes: ArraySlice<UInt8>) -> Int? {
        bytes.count > 5 ? nil : ASCII.decimal(Array(bytes).span)
    }

    /// Four numbers of 0 to 255 without leading zeros.
    package static func isIPv4(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard part.count <= 3, part.count == 1 || part.first != UInt8(ascii: "0") else { return false }
                guard let number = ASCII.decimal(Array(part).span) else { return false }
                return number <= 255
            }
    }

    /// Eight groups of four hexadecimal digits, one run of zeros as `::`, the last two
    /// perhaps as IPv4 (RFC 4291 §2.2).
    package static func isIPv6(_ text: String) -> Bool {
        var groups = text.split(separator: ":", omittingEmptySubsequences: false)
        if groups.count < 3 || groups.count > 9 { return false }
        if text.hasPrefix(":") && !text.hasPrefix("::") || text.hasSuffix(":") && !text.hasSuffix("::") { return false }
        var count = 0
        if let last = groups.last, isIPv4(String(last)) {
            groups.removeLast()
            count = 2
        }
        // A colon at an end belongs to a `::` there, which leaves two empty groups instead of one.
        if groups.count > 1, groups[0].isEmpty, groups[1].isEmpty { groups.removeFirst() }
        if count == 0, groups.count > 1, groups[groups.count - 1].isEmpty, groups[groups.count - 2].isEmpty {
            groups.removeLast()
        }
        let empty = groups.count(where: \.isEmpty)
        for group in groups where !group.isEmpty {
            if group.utf8.count > 4 || !group.utf8.allSatisfy({ $0.hexDigitValue != nil }) { return false }
            count += 1
        }
        return empty == 0 ? count == 8 : empty == 1 && count < 8
    }

    /// Labels of letters, digits, hyphens and underscores. The last is not a number: that would be a
    /// broken IPv4 address.
    package static func isName(_ text: String) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let last = labels.last(where: { !$0.isEmpty }), !last.allSatisfy(\.isDecimalDigit) else { return false }
        for (index, label) in labels.enumerated() {
            if label.isEmpty, index == labels.count - 1 { continue }  // the dot of the root
            let hyphen = UInt8(ascii: "-")
            if label.isEmpty || label.count > 63 || label.first == hyphen || label.last == hyphen { return false }
            if !label.allSatisfy(\.isNameByte) { return false }
        }
        return true
    }
}

extension UInt8 {
    /// A letter, a digit, a hyphen or an underscore.
    var isNameByte: Bool {
        isASCIILetter || isDecimalDigit || self == UInt8(ascii: "-") || self == UInt8(ascii: "_")
    }
}
