internal import SluiceCore
internal import SluiceTLS

/// The signed URL of iFlytek's WebSocket form, checked: the recipe of the sheet's §3.2.
enum SparkSignature {
    static func check(_ call: DialectCall) throws(DialectFailure) {
        guard let authorization = call.parameter("authorization"), let date = call.parameter("date"),
            let host = call.parameter("host")
        else { throw DialectFailure(.noKey, "HMAC signature cannot be verified") }
        // A plus sign that was not encoded came to be a space.
        let encoded = Array(authorization.replacing(" ", with: "+").utf8)
        guard let decoded = Base64.decode(encoded.span) else {
            throw DialectFailure(.noKey, "HMAC signature cannot be verified")
        }
        let parts = attributes(String(decoding: decoded, as: UTF8.self))
        guard let key = parts["api_key"] ?? parts["hmac username"], let signature = parts["signature"],
            parts["algorithm"] == "hmac-sha256", parts["headers"] == "host date request-line"
        else { throw DialectFailure(.noKey, "HMAC signature cannot be verified") }
        if key != MockCredentials.spark.id {
            throw DialectFailure(.wrongKey, "HMAC signature cannot be verified: apikey not found")
        }
        if host != call.header("host") { throw DialectFailure(.wrongKey, "HMAC signature does not match") }
        guard let time = HTTPDateText.seconds(date), abs(call.now - time) <= MockCredentials.skewMax else {
            throw DialectFailure(
                .forbidden,
                "HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication")
        }
        if signature != Self.signature(secret: MockCredentials.spark.secret, host: host, date: date, path: call.rawPath)
        {
            throw DialectFailure(.wrongKey, "HMAC signature does not match")
        }
    }

    static func signature(secret: String, host: String, date: String, path: String) -> String {
        SignedText.base64(
            SignedText.mac(Array(secret.utf8), "host: \(host)\ndate: \(date)\nGET \(path) HTTP/1.1"))
    }

    private static func attributes(_ text: String) -> [String: String] {
        var attributes: [String: String] = [:]
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count != 2 { continue }
            let name = String(pair[0].drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            attributes[name] = pair[1].filter { $0 != "\"" }
        }
        return attributes
    }
}

/// `Thu, 01 Jan 2026 00:00:00 GMT` as seconds since 1970.
enum HTTPDateText {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func seconds(_ text: String) -> Int? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let day = Int(words[1]),
            let month = months.firstIndex(of: String(words[2])),
            let year = Int(words[3]), (1970...9999).contains(year), (1...31).contains(day)
        else { return nil }
        let time = words[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3, time.allSatisfy({ (0...60).contains($0) }) else { return nil }
        return CompactTime.seconds(
            year: year, month: month + 1, day: day, time: time[0] * 3600 + time[1] * 60 + time[2])
    }
}
