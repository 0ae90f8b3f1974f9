internal import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// Reads the errors of OpenAI and of those who imitate it (section 1 of the sheet on OpenAI-compatible providers, "Errors").
package enum OpenAIFault {
    /// An error's reply.
    ///
    /// - Parameter text: the body, for one that is not JSON.
    package static func read(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        guard let document else { return unreadable(head.status, text) }
        var fault =
            error(in: document, head.status) ?? described(document, head.status) ?? unreadable(head.status, text)
        fault.status = head.status
        fault.isRetryable = isRetryable(fault)
        fault.key = verdict(fault)
        return fault
    }

    /// What an error says of the key, for providers that speak of it as OpenAI does.
    private static func verdict(_ fault: ProviderFault) -> ProviderFault.KeyVerdict {
        if fault.status == 401 || fault.code == "invalid_api_key" { return .refused }
        if fault.status == 402 || !fault.isRetryable && fault.status == 429 { return .exhausted }
        return .fine
    }

    /// An error where an answer was to be: in a reply with status 200, or as an event of a stream. `nil` if it is none.
    package static func inBand(_ document: JSONValue) -> ProviderFault? { error(in: document, nil) }

    /// - Parameter status: the reply's; `nil` if it says that all is well.
    private static func error(in document: JSONValue, _ status: Status?) -> ProviderFault? {
        if let error = document["error"], !error.isNull {
            if error.isObject { return read(error, status: status) }
            if let message = error.string {
                return fault(status ?? 502, type: nil, code: document["code"], message, document["param"])
            }
        }
        // Google's compatible endpoint puts it into an array.
        if let first = document[0]?["error"], first.isObject { return read(first, status: status) }
        if document["object"]?.equals("error") == true { return read(document, status: status) }
        if let message = document["x_groq"]?["error"]?.string { return ProviderFault(status ?? 502, message) }
        return nil
    }

    /// The error object itself.
    ///
    /// - Parameter status: the reply's; `nil`: what its code says, else 502.
    package static func read(_ error: JSONValue, status: Status?) -> ProviderFault {
        var found: Status = 502
        if let code = error["code"]?.int, (400...599).contains(code) { found = Status(UInt16(code)) }
        let message = message(error["message"]) ?? "The provider reported an error without a message."
        return fault(status ?? found, type: error["type"]?.string, code: error["code"], message, error["param"])
    }

    private static func message(_ value: JSONValue?) -> String? {
        guard let value else { return nil }
        if let text = value.string { return text }
        if let detail = value["detail"] { return message(detail) }
        return value.isNull ? nil : String(decoding: value.rawBytes)
    }

    /// What FastAPI says of a request that is not what it expects: `[{"type","loc":["body","user"],"msg"}]`.
    private static func validation(_ document: JSONValue, _ status: Status) -> ProviderFault? {
        if let message = document["message"], message.isObject { return validation(message, status) }
        guard let first = document["detail"]?[0], let said = first["msg"]?.string else { return nil }
        var path: [String] = []
        var elements = first.elements(of: "loc")
        while let element = elements.next() { if let word = element.word { path.append(word) } }
        let place = path.isEmpty ? "" : path.joined(separator: ".") + ": "
        let param = path.first == "body" ? path.dropFirst().joined(separator: ".") : path.joined(separator: ".")
        return ProviderFault(status, code: first["type"]?.string, place + said, param: param.isEmpty ? nil : param)
    }

    /// Forms without an `error`: `{"message"}`, `{"detail"}`, `{"fault":{"faultstring"}}`, `{"errors":…}`.
    private static func described(_ document: JSONValue, _ status: Status) -> ProviderFault? {
        if let fault = validation(document, status) { return fault }
        let text =
            message(document["message"]) ?? message(document["detail"]) ?? document["fault"]?["faultstring"]?.string
            ?? document["msg"]?.string ?? document["error_msg"]?.string
        guard let text else { return nil }
        return fault(status, type: document["type"]?.string, code: document["code"], text, document["param"])
    }

    private static func fault(
        _ status: Status, type: String?, code: JSONValue?, _ message: String, _ param: JSONValue?
    ) -> ProviderFault {
        let known: String? = code?.string ?? code?.int.map { "\($0)" }
        var fault = ProviderFault(
            status, type: isOpenAIType(type) ? type : nil, code: known, message,
            param: param?.string.flatMap { $0.isEmpty ? nil : $0 })
        fault.isRetryable = isRetryable(fault)
        fault.key = verdict(fault)
        return fault
    }

    /// Types of others ("BadRequestError") would mean nothing to an application.
    private static func isOpenAIType(_ type: String?) -> Bool {
        guard let type else { return false }
        return type.hasSuffix("_error")
            || ["requests", "tokens", "insufficient_quota", "request_forbidden"].contains(type)
    }

    private static func isRetryable(_ fault: ProviderFault) -> Bool {
        if fault.code == "insufficient_quota" || fault.type == "insufficient_quota" { return false }
        return ProviderFault.isRetryable(fault.status)
    }

    private static func unreadable(_ status: Status, _ text: Span<UInt8>) -> ProviderFault {
        let said = String(decoding: text.extracting(0..<min(text.count, 400)))
        return ProviderFault(
            status, code: "upstream_error", "The provider answered with status \(status.code). \(said)")
    }
}
