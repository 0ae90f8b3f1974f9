import Foundation

/// Documents as values, so that two that say the same are equal.
enum Canonical {
    struct Options {
        var ignoresIDs = false
        var ignoresCreated = false
    }

    static func parse(_ text: String) -> Any {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) ?? "no JSON: \(text)"
    }

    static func equal(_ a: String, _ b: String) -> Bool { (parse(a) as? NSObject) == (parse(b) as? NSObject) }

    /// A chat completion without what says nothing: null, empty lists and texts, zero details of usage.
    static func reply(_ text: String, _ options: Options = Options()) -> NSObject? {
        var value = parse(text) as? [String: Any] ?? [:]
        if options.ignoresCreated { value["created"] = nil }
        return trimmed(value, options) as? NSObject
    }

    static func trimmed(_ value: Any, _ options: Options = Options()) -> Any? {
        if let object = value as? [String: Any] {
            var result: [String: Any] = [:]
            for (key, member) in object {
                if options.ignoresIDs, key == "id", (member as? String)?.hasPrefix("call_") == true { continue }
                if key == "service_tier" || key == "content_filter_results" { continue }
                if key.hasSuffix("_details"), let details = member as? [String: Any] {
                    let told = details.filter { ($0.value as? Int) != 0 }
                    if let told = trimmed(told, options) { result[key] = told }
                    continue
                }
                if let member = trimmed(member, options) { result[key] = member }
            }
            return result.isEmpty ? nil : result
        }
        if let list = value as? [Any] {
            let result = list.compactMap { trimmed($0, options) }
            return result.isEmpty ? nil : result
        }
        if value is NSNull || value as? String == "" { return nil }
        return value
    }
}

/// What a stream of chat completion chunks says, one line a thing; pieces of the same thing stay apart.
struct CanonicalStream {
    var events: [String] = []
    /// What the first chunk with content is called.
    var identity: [String] = []

    init(_ text: String) {
        for line in text.split(separator: "\n") where line.hasPrefix("data:") {
            let data = line.dropFirst(5).drop { $0 == " " }
            if data == "[DONE]" {
                events.append("done")
                continue
            }
            guard let chunk = Canonical.parse(String(data)) as? [String: Any] else { continue }
            if let error = chunk["error"] as? [String: Any] {
                events.append("error \(error["type"] ?? "") \(error["code"] ?? "") \(error["message"] ?? "")")
                continue
            }
            if identity.isEmpty {
                identity = ["id", "created", "model", "system_fingerprint"].map { "\($0) \(Self.said(chunk[$0]))" }
            }
            for choice in chunk["choices"] as? [[String: Any]] ?? [] { add(choice) }
            if let usage = chunk["usage"] as? [String: Any], let told = Canonical.trimmed(usage) as? [String: Any] {
                let text = try? JSONSerialization.data(withJSONObject: told, options: .sortedKeys)
                events.append("usage \(String(decoding: text ?? Data(), as: UTF8.self))")
            }
        }
    }

    private static func said(_ value: Any?) -> String {
        guard let value, !(value is NSNull) else { return "" }
        return "\(value)"
    }

    private mutating func add(_ choice: [String: Any]) {
        let delta = choice["delta"] as? [String: Any] ?? [:]
        for (field, name) in [("reasoning_content", "reasoning"), ("content", "text"), ("refusal", "refusal")] {
            if let text = delta[field] as? String, !text.isEmpty { events.append("\(name) \(text)") }
        }
        for call in delta["tool_calls"] as? [[String: Any]] ?? [] {
            let function = call["function"] as? [String: Any] ?? [:]
            let index = call["index"] as? Int ?? -1
            if let id = call["id"] as? String {
                events.append(
                    "call \(index) \(id) \(function["name"] ?? "") \(call["extra_content"].map { "\($0)" } ?? "")")
            }
            if let arguments = function["arguments"] as? String, !arguments.isEmpty {
                events.append("arguments \(index) \(arguments)")
            }
        }
        if let reason = choice["finish_reason"] as? String { events.append("finish \(reason)") }
    }

}
