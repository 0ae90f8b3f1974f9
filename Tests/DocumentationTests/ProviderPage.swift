import SluiceConfig
import SluiceProviders

/// What the documentation says of one provider: everything that its adapter says, for people.
struct ProviderPage {
    let adapter: Adapter

    var text: String {
        let sections: [(String, String)] = [
            ("Set-up", setUp), ("Worth knowing", worthKnowing), ("Authentication", authentication),
            ("Operations and models", operations), ("What models can do", capabilities),
            ("What is changed in requests", requests), ("What is changed in replies", replies), ("Errors", errors),
            ("Health probe", health), ("Not confirmed", list(adapter.unverified)),
        ]
        var text = """
            # \(adapter.title)

            The adapter `\(adapter.name)`, which speaks \(Self.dialects[adapter.dialect.rawValue] ?? adapter.dialect.rawValue).

            <!-- This page is generated from Sources/CAdapters/Adapters/\(adapter.name).json5: change that. -->

            """
        for (title, body) in sections where !body.isEmpty { text += "\n## \(title)\n\n\(body)" }
        return text
    }

    static let dialects = [
        "openai": "OpenAI's dialect, with the deviations below", "anthropic": "Anthropic's Messages",
        "gemini": "Google's generateContent", "vertex": "Google's generateContent, at Vertex AI",
        "bedrock": "Amazon's Converse, with its binary event stream", "ernie": "the native dialect of ERNIE's version 1",
        "dashscope": "DashScope's native dialect", "hunyuan": "the native dialect of Tencent's cloud interface",
        "spark-ws": "iFlytek's native dialect, over a WebSocket",
    ]

    // MARK: Set-up

    private var setUp: String {
        var text = ""
        if let variable = adapter.keyVariables.first, adapter.baseURL != nil {
            text += "With a variable alone:\n\n```sh\n\(variable)=... sluice\n```\n\nOr in the configuration:\n\n"
        }
        text += "```json5\n{\n  providers: {\n    \"\(adapter.name)\": {\(members.joined(separator: ", "))},\n  },\n}\n```\n"
        if !adapter.keyVariables.isEmpty { text += "\nThe key is in \(codes(adapter.keyVariables, or: true))." }
        if !adapter.baseURLVariables.isEmpty {
            text += "\nAnother base URL is taken from \(codes(adapter.baseURLVariables, or: true))."
        }
        if let url = adapter.baseURL { text += "\nThe base URL is `\(url)`." }
        return text.hasSuffix("\n") ? text : text + "\n"
    }

    private var members: [String] {
        var members: [String] = []
        if adapter.baseURL == nil { members.append("base_url: \"\(exampleURL)\"") }
        switch adapter.auth {
        case .none: break
        case .recipe(let recipe) where !recipe.usesKey:
            let settings = recipe.settings.filter { setting in
                setting.isRequired && !adapter.authSettings.contains { $0.name == setting.name }
            }.map { "\($0.name): \"\($0.isSecret ? "file:/run/secrets/\($0.name)" : "...")\"" }
            members.append("auth_settings: {\(settings.joined(separator: ", "))}")
        default:
            if adapter.isUsableWithoutKey, adapter.baseURL == nil { break }
            members.append("api_key: \"\(adapter.keyVariables.first.map { "${\($0)}" } ?? "file:/run/secrets/api_key")\"")
        }
        if adapter.models.isEmpty { members.append("models: [\"...\"]") }
        return members
    }

    /// The one that the adapter's own words name.
    private var exampleURL: String {
        comment.firstMatch(of: /https:\/\/[^\s,)]+[^\s,).]/).map { String($0.0) } ?? "http://127.0.0.1:8000/v1"
    }

    /// What stands at the head of the adapter's file.
    private var comment: String {
        String(decoding: adapter.text, as: UTF8.self).split(separator: "\n").prefix { $0.hasPrefix("//") }.map {
            $0.dropFirst(2).trimmingPrefix(" ")
        }.joined(separator: " ")
    }

    private var worthKnowing: String { list((comment.isEmpty ? [] : [comment]) + adapter.notes) }

    // MARK: Authentication, operations, models

    private var authentication: String {
        switch adapter.auth {
        case .none: return "None.\n"
        case .bearer: return "`authorization: Bearer KEY`. Several keys take turns.\n"
        case .header(let name): return "`\(name): KEY`. Several keys take turns.\n"
        case .query(let name): return "`?\(name)=KEY`. Several keys take turns.\n"
        case .recipe(let recipe):
            var text = "By the recipe `\(recipe.rawValue)`, from `auth_settings`:\n\n"
            text += table(["setting", "meaning"], recipe.settings.map { setting in
                let fixed = adapter.authSettings.first { $0.name == setting.name }.map { " Here `\($0.value)`." } ?? ""
                return ["`\(setting.name)`\(setting.isRequired ? "" : " (optional)")", setting.doc + fixed]
            })
            return text
        }
    }

    private var operations: String {
        var text = "Every operation is where OpenAI has it.\n"
        if let paths = adapter.paths {
            let rows = Adapter.Operation.allCases.compactMap { operation in
                paths[operation].map { ["\(operation.rawValue)", $0.isEmpty ? "everything else" : "`\($0)`"] }
            }
            text = table(["operation", "path"], rows)
        }
        if !adapter.query.isEmpty {
            text += "\nWith `\(adapter.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&"))` in the query.\n"
        }
        if !adapter.models.isEmpty { text += "\nModels that lead here: \(codes(adapter.models)).\n" }
        let asks = adapter.dialect == .openai && adapter.paths?[.models] != nil || adapter.paths == nil
        if asks { text += "\nThe list of models is asked for at the start and every ten minutes.\n" }
        return text
    }

    private var capabilities: String {
        let request = RequestTransform(adapter.request)
        let capabilities = CapabilityTable(
            adapter.capabilities, asksForUsage: !request.alwaysRemoves("stream_options"))
        var patterns = ["*"]
        for pattern in adapter.capabilities.flatMap(\.models) where !patterns.contains(pattern) { patterns.append(pattern) }
        return table(["models", "lack", "reasoning", "context", "output"], patterns.map { pattern in
            let row = capabilities.row(for: pattern)
            let lacks = CapabilityRules.flagDocs.map(\.name).filter { name in
                Capabilities.flags[name].map { !row[keyPath: $0] } ?? false
            }
            let numbers = [row.contextTokensMax, row.outputTokensMax].map { $0.map(String.init) ?? "" }
            return ["`\(pattern)`", lacks.isEmpty ? "nothing" : codes(lacks), row.reasoning.rawValue] + numbers
        }) + "\nWhat a model lacks is adapted, refused or left out: see <doc:UnsupportedFields>.\n"
    }

    // MARK: Requests

    private var requests: String {
        adapter.request.map { rule in
            let lines = Self.lines(rule)
            return (adapter.request.count > 1 ? Self.scope(rule) + ":\n\n" : "") + list(lines)
        }.joined(separator: "\n")
    }

    private static func scope(_ rule: RequestRules) -> String {
        var words: [String] = []
        if !rule.models.isEmpty { words.append("of " + codes(rule.models)) }
        if rule.operations != [.chat] { words.append("for " + rule.operations.map(\.rawValue).joined(separator: ", ")) }
        if let isStream = rule.condition.isStream { words.append(isStream ? "for a stream" : "for a whole answer") }
        if let hasTools = rule.condition.hasTools { words.append(hasTools ? "with tools" : "without tools") }
        if !rule.condition.has.isEmpty { words.append("with " + codes(rule.condition.has, or: true)) }
        if !rule.condition.lacks.isEmpty { words.append("without " + codes(rule.condition.lacks)) }
        return words.isEmpty ? "In all requests" : "In requests " + words.joined(separator: ", ")
    }

    private static func lines(_ rule: RequestRules) -> [String] {
        func pairs(_ fields: [Named<String>]) -> String {
            fields.map { "`\($0.name)` → `\($0.value)`" }.joined(separator: ", ")
        }
        func values(_ fields: [Named<[ConfigMember]>]) -> String {
            fields.map { field in
                "`\(field.name)`: " + field.value.map { "`\($0.key)` → `\(inline($0.value))`" }.joined(separator: ", ")
            }.joined(separator: "; ")
        }
        func assignments(_ fields: [Named<ConfigValue>]) -> String {
            fields.map { "`\($0.name)`: `\(inline($0.value))`" }.joined(separator: ", ")
        }
        let clamps = rule.clamp.map { clamp in
            "`\(clamp.name)` \(clamp.value.min.map { "from \($0.formatted)" } ?? "")"
                + "\(clamp.value.max.map { " to \($0.formatted)" } ?? "")"
                + (clamp.value.outside == .remove ? ", else removed" : "")
        }
        let rows: [(String, String)] = [
            ("renamed", pairs(rule.rename)), ("moved", pairs(rule.move)), ("other values", values(rule.values)),
            ("said with other fields", values(rule.expand)), ("made a list", codes(rule.wrap)),
            ("kept in range", clamps.joined(separator: "; ")),
            ("made longer", rule.pad.map { "`\($0.name)`" }.joined(separator: ", ")),
            ("left out beside the other", rule.prefer.map { "`\($0.value)` beside `\($0.name)`" }.joined(separator: ", ")),
            ("left out", codes(rule.remove)), ("added where missing", assignments(rule.defaults)),
            ("always", assignments(rule.set)), ("appended", assignments(rule.append)), ("roles", pairs(rule.roles)),
            ("left out of messages", codes(rule.messageRemove)),
            ("nulls", rule.removesNulls ? "left out" : ""),
            ("ids of tool calls", rule.toolCallIDs == .keep ? "" : "nine letters and digits"),
        ]
        return rows.filter { !$0.1.isEmpty }.map { "\($0.0): \($0.1)" }
    }

    // MARK: Replies, errors, health

    private var replies: String {
        let rules = adapter.reply
        if !rules.normalises {
            return adapter.dialect == .openai
                ? "Nothing: they pass byte for byte to applications that speak OpenAI's dialect.\n"
                : "They are read and written anew in the application's dialect"
                    + (adapter.dialect == .anthropic ? ", but pass byte for byte to one that speaks Messages.\n" : ".\n")
        }
        var lines = ["They are read tolerantly and written anew, as OpenAI writes them."]
        if !rules.finishReasons.isEmpty {
            lines.append("finish reasons: " + rules.finishReasons.map { "`\($0.name)` → `\($0.value.rawValue)`" }.joined(separator: ", "))
        }
        if rules.idField != "id" { lines.append("the id is in `\(rules.idField)`") }
        lines.append("reasoning is in " + codes(rules.reasoningFields, or: true))
        if rules.hasThinkTags { lines.append("reasoning between `<think>` tags is taken out of the text") }
        if rules.includesStop { lines.append("the stop sequence is taken off the end of the text") }
        if rules.modelName == .requested { lines.append("the model is named as it was asked for") }
        if !rules.cachedTokens.isEmpty { lines.append("cached tokens are in " + codes(rules.cachedTokens, or: true)) }
        if !rules.reasoningTokens.isEmpty { lines.append("reasoning tokens are in " + codes(rules.reasoningTokens, or: true)) }
        if rules.addsReasoningTokens { lines.append("reasoning tokens are added to the output's") }
        return list(lines)
    }

    private var errors: String {
        var text = ""
        for sign in adapter.errors.inBand {
            let ok = sign.ok.isEmpty ? "" : " is not \(codes(sign.ok, or: true))"
            text += "An error may come with status 200: `\(sign.path)`\(ok.isEmpty ? " is there" : ok).\n\n"
        }
        let rows = adapter.errors.rows.map { row in
            let signs = [codes(row.codes), row.http.map(String.init).joined(separator: ", "), row.contains.map { "“\($0)”" }.joined(separator: ", ")]
            let key = row.key.map { $0 == .fine ? "" : $0.rawValue } ?? ""
            return [signs.filter { !$0.isEmpty }.joined(separator: "; "), row.status.map(String.init) ?? "as it came",
                row.code.map { "`\($0)`" } ?? "the provider's", row.isRetryable.map { $0 ? "yes" : "no" } ?? "by status", key]
        }
        if rows.isEmpty {
            return text + (adapter.dialect == .openai
                ? "As OpenAI's own.\n" : "Mapped to OpenAI's types and codes by the dialect.\n")
        }
        return text + table(["provider's code, status or words", "status", "code", "retry", "key"], rows)
    }

    private var health: String {
        if adapter.dialect.rawValue == "spark-ws" { return "A WebSocket is opened with a signed URL, and closed: no tokens.\n" }
        let chat = " With `--chat` a chat with an answer of one token"
        if let health = adapter.health, health.method == "GET" {
            return "`GET \(health.path)`" + (health.member.map { ", which must have `\($0)`" } ?? "") + ": no tokens.\(chat).\n"
        }
        if adapter.health == nil, adapter.paths.map({ $0[.models] != nil }) ?? true {
            return "`GET \(adapter.paths?[.models] ?? "/models")`: no tokens.\(chat).\n"
        }
        let body = adapter.health?.body.map { ": `\(Self.inline($0))`" } ?? ""
        return "A chat without messages, which is refused only after a look at the key: no tokens.\(chat)\(body).\n"
    }
}

// MARK: Markdown

private func codes(_ words: [String], or: Bool = false) -> String {
    words.map { "`\($0)`" }.joined(separator: or ? " or " : ", ")
}

private func list(_ lines: [String]) -> String { lines.map { "- \($0)\n" }.joined() }

private func table(_ heads: [String], _ rows: [[String]]) -> String {
    ([heads, heads.map { _ in "---" }] + rows).map { row in
        "| " + row.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }.joined()
}

extension ProviderPage {
    fileprivate static func inline(_ value: ConfigValue) -> String {
        value.json().split(separator: "\n").map { $0.trimmingPrefix(while: { $0 == " " }) }.joined(separator: " ")
    }
}

extension Double {
    fileprivate var formatted: String { self == rounded() ? String(Int(self)) : String(self) }
}
