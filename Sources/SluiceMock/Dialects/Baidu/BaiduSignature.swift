internal import SluiceCore
internal import SluiceHTTP

/// `bce-auth-v1`, checked: the recipe of the sheet's §3.3.
enum BaiduSignature {
    static func check(_ value: String, _ call: DialectCall) throws(DialectFailure) {
        let parts = value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, let time = CompactTime.seconds(parts[2]), let lifetime = Int(parts[3]),
            (0...1 << 40).contains(lifetime)
        else {
            throw refused("IAM Certification failed")
        }
        let names = parts[4].isEmpty ? ["host"] : parts[4].split(separator: ";").map(String.init)
        if parts[1] != MockCredentials.baidu.id || !names.contains("host") { throw refused("IAM Certification failed") }
        if call.now > time + lifetime || time > call.now + MockCredentials.skewMax {
            throw refused("IAM Certification expired")
        }
        let query = call.parameters.filter { $0.name.lowercased() != "authorization" }
            .map { "\(PercentText.encode($0.name))=\(PercentText.encode($0.value))" }.sorted().joined(separator: "&")
        let headers = names.map { "\($0):\(PercentText.encode(trimmed(call.header(dynamic: $0) ?? "")))" }.sorted()
        let path = PercentText.encode(PercentText.decode(call.rawPath), keeping: "/")
        let wanted = signature(
            prefix: parts[0...3].joined(separator: "/"), secret: MockCredentials.baidu.secret,
            method: call.head.method.name.description, path: path, query: query, headers: headers)
        if wanted != parts[5] { throw refused("IAM Certification failed") }
    }

    static func signature(
        prefix: String, secret: String, method: String, path: String, query: String, headers: [String]
    ) -> String {
        let key = SignedText.hex(SignedText.mac(Array(secret.utf8), prefix))
        let canonical = "\(method)\n\(path)\n\(query)\n\(headers.joined(separator: "\n"))"
        return SignedText.hex(SignedText.mac(Array(key.utf8), canonical))
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func refused(_ message: String) -> DialectFailure { DialectFailure(.forbidden, message, code: "14") }
}
