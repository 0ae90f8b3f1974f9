package import SluiceCore

/// The usual kinds of settings by name: `section.integer("streams_max", default: 100, in: 1...1000, doc: "…")`.
extension ConfigSection {
    package func string(
        _ key: String, default fallback: String, bytes: ClosedRange<Int> = 1...4096, doc: String
    ) -> String {
        value(key, .string(bytes: bytes), default: fallback, doc: doc)
    }

    package func requiredString(_ key: String, bytes: ClosedRange<Int> = 1...4096, doc: String) -> String {
        required(key, .string(bytes: bytes), doc: doc)
    }

    package func optionalString(_ key: String, bytes: ClosedRange<Int> = 1...4096, doc: String) -> String? {
        optional(key, .string(bytes: bytes), doc: doc)
    }

    package func strings(
        _ key: String, default fallback: [String] = [], bytes: ClosedRange<Int> = 1...4096,
        count: ClosedRange<Int> = 0...1000, doc: String
    ) -> [String] {
        values(key, .string(bytes: bytes), default: fallback, count: count, doc: doc)
    }

    package func integer(_ key: String, default fallback: Int, in range: ClosedRange<Int>, doc: String) -> Int {
        value(key, .integer(in: range), default: fallback, doc: doc)
    }

    package func number(
        _ key: String, default fallback: Double, in range: ClosedRange<Double>, doc: String
    ) -> Double {
        value(key, .number(in: range), default: fallback, doc: doc)
    }

    /// - Parameter range: in milliseconds, as in the text.
    package func duration(
        _ key: String, default fallback: Duration, in range: ClosedRange<Int>, doc: String
    ) -> Duration {
        value(key, .milliseconds(in: range), default: fallback, doc: doc)
    }

    package func boolean(_ key: String, default fallback: Bool, doc: String) -> Bool {
        value(key, .boolean, default: fallback, doc: doc)
    }

    package func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ key: String, default fallback: Choice, doc: String
    ) -> Choice {
        value(key, .choice(), default: fallback, doc: doc)
    }

    package func url(_ key: String, schemes: [BaseURL.Scheme] = [.http, .https], doc: String) -> BaseURL {
        required(key, .url(schemes), doc: doc)
    }

    package func optionalURL(_ key: String, schemes: [BaseURL.Scheme] = [.http, .https], doc: String) -> BaseURL? {
        optional(key, .url(schemes), doc: doc)
    }

    package func secret(_ key: String, doc: String) -> Secret { required(key, .secret(), doc: doc) }
    package func optionalSecret(_ key: String, doc: String) -> Secret? { optional(key, .secret(), doc: doc) }

    /// The path of a file that must be there and hold at most `byteCountMax` bytes.
    package func file(_ key: String, byteCountMax: Int = 1 << 20, doc: String) -> String {
        required(key, .file(byteCountMax: byteCountMax), doc: doc)
    }

    package func optionalFile(_ key: String, byteCountMax: Int = 1 << 20, doc: String) -> String? {
        optional(key, .file(byteCountMax: byteCountMax), doc: doc)
    }
}
