import Foundation

/// What the chunks of a chat stream say together, whatever pieces it came in; ids of calls aside where we make them.
struct FoldedChat: Equatable, CustomStringConvertible {
    struct Call: Equatable {
        var name = ""
        var arguments = ""
        var signature = ""
    }

    var content = ""
    var reasoning = ""
    var details: [NSObject] = []
    var calls: [Call] = []
    var images: [String] = []
    var finish: String?
    var usage: NSObject?
    var isDone = false

    init(_ stream: String) {
        for event in data(ofEvents: stream) {
            if event.description == "[DONE]" { isDone = true }
            guard let chunk = event as? [String: Any] else { continue }
            if let usage = chunk["usage"] as? [String: Any] { self.usage = usage as NSObject }
            guard let choice = (chunk["choices"] as? [[String: Any]])?.first else { continue }
            if let reason = choice["finish_reason"] as? String { finish = reason }
            if let delta = choice["delta"] as? [String: Any] { take(delta) }
        }
    }

    private mutating func take(_ delta: [String: Any]) {
        content += delta["content"] as? String ?? ""
        reasoning += delta["reasoning_content"] as? String ?? ""
        details += (delta["reasoning_details"] as? [NSObject]) ?? []
        for image in delta["images"] as? [[String: Any]] ?? [] {
            images.append((image["image_url"] as? [String: Any])?["url"] as? String ?? "")
        }
        for call in delta["tool_calls"] as? [[String: Any]] ?? [] {
            let index = call["index"] as? Int ?? 0
            while calls.count <= index { calls.append(Call()) }
            let function = call["function"] as? [String: Any] ?? [:]
            calls[index].name += function["name"] as? String ?? ""
            calls[index].arguments += function["arguments"] as? String ?? ""
            let google = (call["extra_content"] as? [String: Any])?["google"] as? [String: Any]
            calls[index].signature += google?["thought_signature"] as? String ?? ""
        }
    }

    var description: String {
        "\(content)|\(reasoning)|\(calls)|\(details)|\(finish ?? "-")|\(usage.map { "\($0)" } ?? "-")"
    }
}
