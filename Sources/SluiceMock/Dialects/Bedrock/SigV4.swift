internal import SluiceCore
internal import SluiceHTTP
internal import SluiceTLS

/// AWS Signature Version 4, checked: the recipe of the sheet's §8, over the path as it was received.
enum SigV4 {
    private static let algorithm = "AWS4-HMAC-SHA256"

    static func check(_ call: DialectCall) throws(DialectFailure) {
        guard let value = call.authorization else { throw DialectFailure(.noKey, "Missing Authentication Token") }
        guard value.hasPrefix(algorithm + " ") else {
            throw DialectFailure(
                .forbidden, "Authorization header is not well-formed.", code: "IncompleteSignatureException")
        }
        let parts = Self.parts(value.dropFirst(algorithm.count + 1))
        let scope = (parts["Credential"] ?? "").split(separator: "/").map(String.init)
        guard scope.count == 5, let signed = parts["SignedHeaders"], let signature = parts["Signature"],
            let date = call.header("x-amz-date"), let time = CompactTime.seconds(date)
        else {
            throw DialectFailure(
                .forbidden,
                "Authorization header requires 'Credential', 'Signature', 'SignedHeaders' and 'x-amz-date'.",
                code: "IncompleteSignatureException")
        }
        if scope[0] != MockCredentials.aws.id {
            throw DialectFailure(.wrongKey, "The security token included in the request is invalid.")
        }
        if scope[3] != "bedrock" || scope[4] != "aws4_request" || !date.hasPrefix(scope[1]) {
            throw mismatch("Credential should be scoped to correct service: 'bedrock'.")
        }
        let names = signed.split(separator: ";").map(String.init)
        if !names.contains("host") || !names.contains("x-amz-date") || names != names.sorted() {
            throw mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization.")
        }
        if abs(call.now - time) > MockCredentials.skewMax {
            throw mismatch("Signature expired: \(date) is now earlier or later than the server's time allows.")
        }
        let wanted = Self.signature(
            secret: MockCredentials.aws.secret, date: date, region: scope[2], service: scope[3],
            canonical: canonical(call, names))
        if wanted != signature {
            throw mismatch(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
                    + "Key and signing method.")
        }
    }

    private static func mismatch(_ message: String) -> DialectFailure {
        DialectFailure(.forbidden, message, code: "InvalidSignatureException")
    }

    static func parts(_ text: some StringProtocol) -> [String: String] {
        var parts: [String: String] = [:]
        for part in String(text).split(separator: ",") {
            let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count == 2 { parts[pair[0]] = pair[1] }
        }
        return parts
    }

    static func canonical(_ call: DialectCall, _ names: [String]) -> String {
        let headers = names.map { "\($0):\(collapsed(call.header(dynamic: $0) ?? ""))\n" }.joined()
        let query = call.rawQuery.split(separator: "&").map { $0.contains("=") ? String($0) : $0 + "=" }.sorted()
        return canonical(
            method: call.head.method.name.description, path: call.rawPath, query: query.joined(separator: "&"),
            headers: headers, names: names.joined(separator: ";"),
            payloadHash: SHA256.hash(call.body.span).hexadecimal)
    }

    static func canonical(
        method: String, path: String, query: String, headers: String, names: String, payloadHash: String
    ) -> String {
        // The path on the wire is encoded already and is encoded once more.
        "\(method)\n\(PercentText.encode(path, keeping: "/"))\n\(query)\n\(headers)\n\(names)\n\(payloadHash)"
    }

    static func signature(
        secret: String, date: String, region: String, service: String, canonical: String
    ) -> String {
        let day = String(date.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let toSign = "\(algorithm)\n\(date)\n\(scope)\n\(SignedText.sha256(canonical))"
        var key = SignedText.mac(Array("AWS4\(secret)".utf8), day)
        for part in [region, service, "aws4_request"] { key = SignedText.mac(key, part) }
        return SignedText.hex(SignedText.mac(key, toSign))
    }

    private static func collapsed(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
}

/// `20261120T120000Z` and its kin as seconds since 1970.
enum CompactTime {
    static func seconds(_ text: String) -> Int? {
        let digits = text.utf8.filter(\.isDecimalDigit).compactMap(\.decimalDigitValue)
        guard digits.count == 14 else { return nil }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + $1 } }
        return seconds(
            year: number(0..<4), month: number(4..<6), day: number(6..<8),
            time: number(8..<10) * 3600 + number(10..<12) * 60 + number(12..<14))
    }

    static func seconds(year: Int, month: Int, day: Int, time: Int) -> Int {
        // Days since 1970 of the proleptic Gregorian calendar, years beginning in March.
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return days * 86_400 + time
    }
}
