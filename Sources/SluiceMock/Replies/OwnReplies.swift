internal import SluiceHTTP
internal import SluiceJSON

/// The mock's own paths: what it was asked, how often, and how to forget it.
struct OwnReplies {
    let shared: MockShared

    func reply(_ endpoint: Endpoint, _ target: borrowing RequestTarget) -> Reply {
        switch endpoint {
        case .ledgerRequests:
            let limit = target.parameterText("limit").flatMap { Int($0) } ?? MockOptions.requestsKeptMax
            return Reply(capacity: 4096) { shared.ledger.writeRequests(limit: max(limit, 0), &$0) }
        case .ledgerCounts: return Reply { shared.ledger.writeCounts(&$0) }
        case .reset:
            shared.ledger.reset()
            shared.store.reset()
        case .redirected: shared.ledger.followRedirect()
        default: break
        }
        return Reply { json in json.object { $0.member("status", "ok") } }
    }
}
