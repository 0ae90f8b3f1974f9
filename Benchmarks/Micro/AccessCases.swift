internal import CAllocations
internal import SluiceCore
internal import SluicePolicy

/// What it costs to know who asks, and what he may do.
func measureAccess(_ measure: Measure) {
    let pepper = KeyPepper(Secret("a pepper that is not one"))
    var random = SplitMix64(1)
    let secrets = (0..<100_000).map { _ in APIKey.issue(using: &random) }
    let before = Int(callocations_bytes())
    let table = KeyTable()
    table.replace(
        secrets.enumerated().map { number, secret in
            var record = KeyRecord(id: "app-\(number)", digest: secret.withExposed { pepper.digest(of: $0) })
            record.user = "user-\(number)"
            record.team = "team-\(number % 100)"
            record.roles = ["app"]
            return record
        })
    let policy = AccessPolicy(pepper: pepper)
    let unused = Int(callocations_bytes()) - before
    for record in table.records { _ = table.check(record.digest, under: policy, at: 1) }
    if "access/memory".hasPrefix(measure.prefix) || measure.prefix.isEmpty {
        print("access/100,000 keys: \(unused / 1_000_000) MB unused, \((Int(callocations_bytes()) - before) / 1_000_000) MB all in use")
    }
    let verifier = APIKeyVerifier(others: table, hasForeignKeys: false)
    measureKeys(measure, verifier, policy, secrets, &random)
    let roles = AccessPolicy().access(roles: ["developer"], modelBound: ["gpt-5.4-mini", "claude-*"])
    measure("access/model by name") { keep(roles.allows(model: "gpt-5.4-mini")) }
    measure("access/model by pattern") { keep(roles.allows(model: "claude-fable-5")) }
    measure("access/endpoint by pattern") { keep(roles.allows(endpoint: "/v1/chat/completions")) }
}

private func measureKeys(
    _ measure: Measure, _ verifier: APIKeyVerifier, _ policy: AccessPolicy, _ secrets: [Secret],
    _ random: inout SplitMix64
) {
    var number = 0
    measure("access/api key among 100,000") {
        number = number &+ 7919
        secrets[number % secrets.count].withExposed { keep(verifier.verify($0, under: policy, at: 1)) }
    }
    let strangers = (0..<100).map { _ in APIKey.issue(using: &random) }
    measure("access/unknown key") {
        number = number &+ 1
        strangers[number % strangers.count].withExposed { keep(verifier.verify($0, under: policy, at: 1)) }
    }
    let garbage = Secret("sk-sluice-0000000000000000000000000000000000000000000000")
    measure("access/garbage") { garbage.withExposed { keep(verifier.verify($0, under: policy, at: 1)) } }
}
