package import SluiceConfig
internal import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// What a platform's errors mean, in OpenAI's words.
package struct ErrorTable: Sendable {
    private struct Sign: Sendable {
        let path: FieldPath
        let ok: [String]
        let message: FieldPath?
    }

    private let signs: [Sign]
    private let codePaths: [FieldPath]
    private let rows: [ErrorRules.Row]

    /// Whether the platform's errors are like OpenAI's own, and can pass as they are.
    package var isEmpty: Bool { signs.isEmpty && rows.isEmpty }

    package init(_ rules: ErrorRules = ErrorRules()) {
        signs = rules.inBand.map {
            Sign(path: FieldPath($0.path), ok: $0.ok, message: $0.message.map { FieldPath($0) })
        }
        codePaths = rules.codePaths.map { FieldPath($0) }
        rows = rules.rows
    }

    /// An error where an answer was to be: in a reply with status 200, or as an event of a stream. `nil` if it is none.
    package func inBand(_ document: JSONValue) -> ProviderFault? {
        for sign in signs {
            guard let value = sign.path.value(in: document), let code = value.word, !sign.ok.contains(code) else {
                continue
            }
            // Not every code beside an answer is a failure that the platform's documents tell of.
            if sign.ok.isEmpty, document["choices"]?.isArray == true { continue }
            let message = sign.message?.value(in: document)?.string ?? "The provider reported the error \(code)."
            var fault = ProviderFault(502, code: code, message)
            apply(to: &fault, [code], http: nil)
            return fault
        }
        guard var fault = OpenAIFault.inBand(document) else { return nil }
        apply(to: &fault, codes(in: document), http: nil)
        return fault
    }

    /// Reads an error's reply.
    package func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        var fault = OpenAIFault.read(head, document, text: text)
        guard let document else {
            apply(to: &fault, [], http: head.status)
            return fault
        }
        for sign in signs {
            guard let code = sign.path.value(in: document)?.word, !sign.ok.contains(code) else { continue }
            if let message = sign.message?.value(in: document)?.string { fault.message = message }
            fault.code = code
            apply(to: &fault, [code] + codes(in: document), http: head.status)
            return fault
        }
        apply(to: &fault, codes(in: document), http: head.status)
        return fault
    }

    private func codes(in document: JSONValue) -> [String] {
        var codes: [String] = []
        for path in codePaths {
            if let code = path.value(in: document)?.word {
                codes.append(code)
            } else if let first = document[0], let code = path.value(in: first)?.word {
                codes.append(code)
            }
        }
        return codes
    }

    private func apply(to fault: inout ProviderFault, _ codes: [String], http: Status?) {
        // An error within a stream has no fields that would say it.
        if fault.retryAfter == nil, let wait = RetryText.wait(inSentence: fault.message.utf8Span.span) {
            fault.retryAfter = .milliseconds(wait)
        }
        let said = fault.message.lowercased()
        take(rows.first { fits($0, codes, http, said) }, &fault)
        CommonWords.complete(&fault, said)
    }

    private func take(_ row: ErrorRules.Row?, _ fault: inout ProviderFault) {
        guard let row else { return }
        if let status = row.status { fault.status = Status(UInt16(clamping: status)) }
        if let type = row.type ?? (row.status == nil ? nil : ProviderFault.type(of: fault.status)) { fault.type = type }
        if let code = row.code { fault.code = code }
        if let param = row.param { fault.param = param }
        fault.isRetryable = row.isRetryable ?? ProviderFault.isRetryable(fault.status)
        if let key = row.key {
            fault.key =
                switch key {
                case .fine: .fine
                case .refused: .refused
                case .exhausted: .exhausted
                }
        }
    }

    private func fits(_ row: ErrorRules.Row, _ codes: [String], _ http: Status?, _ said: String) -> Bool {
        if !row.codes.isEmpty,
            !row.codes.contains(where: { pattern in codes.contains { ModelPattern.matches(pattern, $0) } })
        {
            return false
        }
        if !row.http.isEmpty {
            guard let http, row.http.contains(Int(http.code)) else { return false }
        }
        return row.contains.isEmpty || row.contains.contains { said.contains($0.lowercased()) }
    }
}
