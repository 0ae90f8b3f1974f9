extension EventParser {
    /// What the parser found: where an event stands. Valid until the parser is asked for the next one.
    package struct Event: Equatable, Sendable {
        package enum Kind: UInt8, Sendable {
            /// It has data: what a receiver acts on.
            case message
            /// Comments only, such as a keep-alive.
            case comment
            /// Fields, but no data: an `id` or `retry` on its own, an `event` without data. Receivers drop it.
            case fields
            /// An empty line more than was needed.
            case blank
        }

        enum Place: UInt8, Sendable { case given, carried, joined }

        package internal(set) var kind = Kind.blank
        /// Whether it began in an earlier read. Its ranges are then about the parser's own copy: read it with `raw`.
        package internal(set) var isCarried = false
        /// Whether there was a valid `id` line.
        package internal(set) var hasID = false
        var dataPlace = Place.given
        /// Where the event stands in the bytes that were given, its blank line included.
        package internal(set) var range: Range<Int>
        var data = 0..<0
        var name = 0..<0
        var id = 0..<0
        /// What its last valid `retry` line says, in milliseconds.
        package internal(set) var retryMilliseconds: Int?

        init(at start: Int) { range = start..<start }
        init(blank range: Range<Int>) { self.range = range }

        /// The same event, found in the parser's own copy of it.
        consuming func carried(byteCount: Int) -> Event {
            isCarried = true
            range = 0..<byteCount
            if dataPlace == .given { dataPlace = .carried }
            return self
        }
    }
}
