internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// A request as a dialect sees it.
struct DialectCall {
    let head: RequestHead
    /// The first segment: which provider is meant.
    let prefix: String
    /// The decoded segments after it.
    let path: [String]
    /// Path and query as they were received, the prefix too: what is signed.
    let rawPath: String
    let rawQuery: String
    let parameters: [(name: String, value: String)]
    let body: ByteBuffer
    /// `nil` if the body is no JSON object.
    let json: MockJSON?
    /// Seconds since 1970.
    let now: Int
    let options: MockOptions

    init(
        _ head: RequestHead, _ target: borrowing RequestTarget, _ body: ByteBuffer, _ options: MockOptions,
        now: Int = WallClock.seconds
    ) {
        self.head = head
        self.body = body
        self.options = options
        self.now = now
        prefix = target.segmentCount > 0 ? String(decoding: target.segment(0)) : ""
        var path: [String] = []
        for index in 1..<max(target.segmentCount, 1) { path.append(String(decoding: target.segment(index))) }
        self.path = path
        let raw = String(decoding: head.target, as: UTF8.self)
        let parts = raw.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        rawPath = String(parts[0])
        rawQuery = parts.count > 1 ? String(parts[1]) : ""
        parameters = Self.form(rawQuery)
        let parsed = body.isEmpty ? nil : MockJSON(parsing: body.span)
        json = parsed?.isObject == true ? parsed : nil
    }

    /// The members of a query or of a form.
    static func form(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (PercentText.decode(String(parts[0])), PercentText.decode(parts.count > 1 ? String(parts[1]) : ""))
        }
    }

    func parameter(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    func header(_ name: StaticString) -> String? {
        if name.description == "host" {
            guard let index = head.fields.index(named: "host") else {
                return String(decoding: head.authority, as: UTF8.self)
            }
            return String(decoding: head.fields.value(at: index))
        }
        return head.fields.index(named: name).map { String(decoding: head.fields.value(at: $0)) }
    }

    /// A field by a name that is known only now.
    func header(dynamic name: String) -> String? {
        for index in 0..<head.fields.count where String(decoding: head.fields.name(at: index)) == name {
            return String(decoding: head.fields.value(at: index))
        }
        return name == "host" ? header("host") : nil
    }

    var authorization: String? { header("authorization") }

    var bearer: String? {
        guard let value = authorization, value.count > 7, value.prefix(7).lowercased() == "bearer " else { return nil }
        return String(value.dropFirst(7))
    }

    func ends(with tail: String...) -> Bool { path.suffix(tail.count).elementsEqual(tail) }

    var isPost: Bool { head.method == .post }

    /// The body, if it is a JSON object.
    func object() throws(DialectFailure) -> MockJSON {
        guard let json else { throw .invalid("The request body is not valid JSON.", code: "malformed_json") }
        return json
    }

    /// Checks a key against what the mock was told, and the names that are always refused.
    func check(key: String?) throws(DialectFailure) {
        guard let key, !key.isEmpty else { throw DialectFailure(.noKey, "No API key was given.") }
        switch MockCredentials.Tail(key.utf8Span.span) {
        case .refused: throw DialectFailure(.wrongKey, "The API key is not valid.")
        case .limited: throw DialectFailure(.rateLimit, "Too many requests, please wait before trying again.")
        case .quota: throw DialectFailure(.quota, "You exceeded your current quota.")
        case nil: break
        }
        if let wanted = options.apiKey, !wanted.matches(key.utf8Span.span) {
            throw DialectFailure(.wrongKey, "The API key is not valid.")
        }
    }
}
