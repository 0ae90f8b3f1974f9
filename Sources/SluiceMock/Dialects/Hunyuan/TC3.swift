internal import SluiceCore
internal import SluiceTLS

/// TC3-HMAC-SHA256, checked: the recipe of the sheet's §3.2.
enum TC3 {
    private static let algorithm = "TC3-HMAC-SHA256"

    static func check(_ call: DialectCall) throws(DialectFailure) {
        guard let value = call.authorization, value.hasPrefix(algorithm + " ") else {
            throw DialectFailure(.noKey, "The provided credentials could not be validated.")
        }
        let parts = SigV4.parts(value.dropFirst(algorithm.count + 1))
        let scope = (parts["Credential"] ?? "").split(separator: "/").map(String.init)
        guard scope.count == 4, let signed = parts["SignedHeaders"], let signature = parts["Signature"],
            let stamp = call.header("x-tc-timestamp"), let time = Int(stamp), (0...1 << 40).contains(time)
        else { throw DialectFailure(.noKey, "The Authorization header is malformed.") }
        if scope[0] != MockCredentials.tencent.id { throw DialectFailure(.wrongKey, "The SecretId is not found.") }
        if abs(call.now - time) > MockCredentials.skewMax {
            throw DialectFailure(
                .expiredKey, "The provided timestamp is more than five minutes from the server's time.")
        }
        let names = signed.split(separator: ";").map(String.init)
        if scope[1] != day(time) || scope[2] != "hunyuan" || scope[3] != "tc3_request" || !names.contains("host")
            || !names.contains("content-type")
        {
            throw DialectFailure(.noKey, "The credential's scope or the signed headers are wrong.")
        }
        let headers = names.map { "\($0):\((call.header(dynamic: $0) ?? "").lowercased())\n" }.joined()
        let payload = SHA256.hash(call.body.span).hexadecimal
        // The interface has one path, `/`; behind a prefix both spellings are taken.
        let isValid = ["/", call.rawPath].contains { path in
            let canonical = "POST\n\(path)\n\(call.rawQuery)\n\(headers)\n\(signed)\n\(payload)"
            return Self.signature(MockCredentials.tencent.secret, timestamp: time, canonical: canonical) == signature
        }
        if !isValid {
            throw DialectFailure(
                .noKey, "The provided credentials could not be validated. Please check your signature is correct.")
        }
    }

    static func signature(_ secret: String, timestamp: Int, canonical: String) -> String {
        let date = day(timestamp)
        let toSign = "\(algorithm)\n\(timestamp)\n\(date)/hunyuan/tc3_request\n\(SignedText.sha256(canonical))"
        var key = SignedText.mac(Array("TC3\(secret)".utf8), date)
        for part in ["hunyuan", "tc3_request"] { key = SignedText.mac(key, part) }
        return SignedText.hex(SignedText.mac(key, toSign))
    }

    /// `YYYY-MM-DD` of a time, UTC.
    static func day(_ seconds: Int) -> String {
        // From days since 1970 to the proleptic Gregorian calendar, years beginning in March.
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let calendarMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
        return "\(year)-\(two(calendarMonth))-\(two(day))"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
