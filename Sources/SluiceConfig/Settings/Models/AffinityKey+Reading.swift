internal import SluicePolicy

/// As configurations write it.
extension AffinityKey {
    init?(_ text: String) {
        switch text {
        case "user": self = .user
        case "team": self = .team
        case "business_line": self = .businessLine
        case "key": self = .key
        case "address": self = .address
        default:
            guard text.hasPrefix("header:") else { return nil }
            let name = text.dropFirst("header:".count).lowercased()
            guard HeaderRules.isName(name) else { return nil }
            self = .header(name)
        }
    }

    var text: String {
        switch self {
        case .user: "user"
        case .team: "team"
        case .businessLine: "business_line"
        case .key: "key"
        case .address: "address"
        case .header(let name): "header:\(name)"
        }
    }
}

extension ConfigRule where Value == AffinityKey {
    static var affinity: ConfigRule {
        text(
            "text", allowed: "user, team, business_line, key (the credential), address or header:NAME",
            placeholder: .user, show: \.text
        ) { AffinityKey($0) }
    }
}
