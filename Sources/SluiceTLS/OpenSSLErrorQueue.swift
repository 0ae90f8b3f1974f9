internal import COpenSSL

/// OpenSSL's list of what went wrong, one a thread (ERR_get_error(3)).
///
/// SSL_get_error(3) answers wrongly when an old entry is left, so every failure empties the list on the spot.
enum OpenSSLErrorQueue {
    struct Entry: Equatable {
        let library: Int32
        let reason: Int32
        /// OpenSSL's own words, such as "no shared cipher".
        let text: String

        /// The alert that the peer sent, if that is what this entry reports (SSL_AD_REASON_OFFSET).
        var alertReceived: UInt8? {
            guard library == ERR_LIB_SSL, reason >= SSL_AD_REASON_OFFSET else { return nil }
            return UInt8(exactly: reason - SSL_AD_REASON_OFFSET)
        }
    }

    /// More entries than this say nothing more; they are dropped.
    private static let keptAtMost = 8

    /// Empties the list. Cheap when it is empty already.
    @inline(__always) static func clear() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// Empties the list and returns it, the first cause first.
    static func drain() -> [Entry] {
        var entries: [Entry] = []
        while entries.count < keptAtMost {
            let code = ERR_get_error()
            if code == 0 { return entries }
            let words = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) }
            entries.append(
                Entry(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code), text: words ?? "error \(code)"))
        }
        ERR_clear_error()
        return entries
    }

    /// Empties the list and returns its first cause in words, for a sentence.
    static func drainText() -> String { drain().first?.text ?? "OpenSSL gave no reason" }
}
