internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy

/// One request to the management API, read and checked as far as its operation says. Confined to the loop it came in
/// on.
final class ManagementRequest {
    let operation: ManagementOperation
    let method: Method
    let target: RequestTarget
    let fields: HeaderFields
    /// Empty if there is none.
    let body: ByteBuffer
    let loop: EventLoop
    let requestID: String
    /// Who asks.
    let principal: Principal
    /// Where from.
    let address: String

    init(
        operation: ManagementOperation, method: Method, target: RequestTarget, fields: HeaderFields, body: ByteBuffer,
        loop: EventLoop, requestID: String, principal: Principal, address: String
    ) {
        self.operation = operation
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
        self.loop = loop
        self.requestID = requestID
        self.principal = principal
        self.address = address
    }

    /// Who asks, for what changes.
    func author(reason: String) -> ControlAuthor {
        ControlAuthor(principal: principal, address: address, reason: reason)
    }

    // MARK: What it says

    /// A segment of the path, decoded; the first one is number 0. Empty if there is none.
    func segment(_ index: Int) -> String {
        let target = target
        return index < target.segmentCount ? String(decoding: target.segment(index)) : ""
    }

    /// A query parameter, decoded; `nil` if it is not there.
    func query(_ name: StaticString) -> String? { target.parameterText(name) }

    /// A query parameter that says yes or no: `true` alone or as a value, `1`, `false`, `0`.
    func flag(_ name: StaticString) throws(ManagementError) -> Bool {
        switch query(name) {
        case nil, "false", "0": return false
        case "", "true", "1": return true
        default: throw ManagementError(.invalidParameter, "\(name) is true or false.", param: "\(name)")
        }
    }

    /// A query parameter that is a number.
    func integer(_ name: StaticString, default fallback: Int, in range: ClosedRange<Int>) throws(ManagementError) -> Int
    {
        guard let text = query(name) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw ManagementError(
                .invalidParameter, "\(name) is \(range.lowerBound) to \(range.upperBound).", param: "\(name)")
        }
        return number
    }

    /// The body as a value; JSON (RFC 8259) without a key twice in one object.
    func json() throws(ManagementError) -> ConfigValue {
        let tape = JSONTape()
        let body = body
        do throws(JSONError) {
            try tape.scan(body.span)
        } catch {
            throw ManagementError(.invalidJSON, "The request body is not valid JSON: \(error).")
        }
        do throws(ConfigSyntaxError) {
            return try ConfigText.parse(Array(copying: body.span))
        } catch {
            throw ManagementError(.invalidJSON, "The request body cannot be read: \(error.location): \(error.message).")
        }
    }

    // MARK: Conditions (RFC 9110 §13)

    /// Whether the caller has what it would get already.
    func hasAlready(_ etag: String) -> Bool {
        guard let text = fields.text(.ifNoneMatch) else { return false }
        return Self.names(etag, in: text, isWeak: true)
    }

    /// - Parameter isRequired: a change without a condition is refused.
    /// - Throws: 412 if the resource is not as the caller has seen it, 428 where it does not say how it has.
    func check(ifMatch etag: String, isRequired: Bool = false) throws(ManagementError) {
        try Self.check(ifMatch: etag, fields.text(.ifMatch), isRequired: isRequired)
    }

    /// - Parameter condition: what `If-Match` says, if it is there.
    static func check(ifMatch etag: String, _ condition: String?, isRequired: Bool = false) throws(ManagementError) {
        guard let text = condition else {
            if !isRequired { return }
            throw ManagementError(
                .preconditionRequired, "Send If-Match with the ETag that GET answers, or If-Match: *.",
                param: "if-match")
        }
        if names(etag, in: text, isWeak: false) { return }
        throw ManagementError(
            .preconditionFailed, "It has changed: its ETag is \(etag) now. Read it again, and decide anew.",
            param: "if-match")
    }

    private static func names(_ etag: String, in text: String, isWeak: Bool) -> Bool {
        for part in text.split(separator: ",") {
            var tag = part.drop { $0 == " " || $0 == "\t" }
            while let last = tag.last, last == " " || last == "\t" { tag.removeLast() }
            if isWeak, tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
            if tag == "*" || tag == etag { return true }
        }
        return false
    }

    /// Whether the caller takes a media type (RFC 9110 §12.5.1); without `Accept` it takes all.
    func accepts(_ mediaType: StaticString) -> Bool { AcceptField.allows("\(mediaType)", fields) }
}
