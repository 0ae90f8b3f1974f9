import Foundation
import SluiceConfig
import SluiceCore
internal import SluiceStorage
import SluiceStorage
import SluiceTLS
import TestSupport
import Testing

@testable import SluiceServer

/// What other nodes and earlier processes have written: it is read as it was written, or not at all.
@Suite struct `Records of the management API` {
    private static let record = ControlRecord(
        revision: 12, at: 1_800_000_000_000, author: "key:root", reason: "why \u{0} not 汉", node: "n/1",
        changes: [
            .init(
                unit: ConfigUnit(section: "models", name: "a/b \"c\""),
                value: ConfigValue(.object([ConfigMember("provider", ConfigValue(.string("mock")))]))),
            .init(unit: .key("app"), value: nil), .init(unit: ConfigUnit(section: "timeouts"), value: ConfigValue(.null)),
        ],
        differences: [.init(path: "models.a", before: nil, after: ConfigValue(.integer(3)))])

    private static func changed(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            default: bytes.insert(contentsOf: bytes[..<place].suffix(9), at: place)
            }
            if bytes.isEmpty { return [0] }
        }
        return bytes
    }

    @Test func `come out as they went in`() {
        #expect(ControlRecord(text: Self.record.text) == Self.record)
        var mark = ControlMark()
        mark.revision = 7
        mark.toggle(.key("app"), 3)
        #expect(ControlMark(text: mark.text) == mark)
    }

    @Test func `whatever their bytes are, reading them ends, and what is read can be written`() {
        for seed in SplitMix64.seeds(1500) {
            var random = SplitMix64(seed)
            if let read = ControlRecord(text: Self.changed(Self.record.text, &random)) {
                #expect(ControlRecord(text: read.text) == read, "seed \(seed)")
                #expect(read.revision > 0, "seed \(seed)")
            }
            if let mark = ControlMark(text: Self.changed(ControlMark().text, &random)) {
                #expect(ControlMark(text: mark.text) == mark && mark.revision >= 0, "seed \(seed)")
            }
        }
    }

    @Test func `that are sealed open as they were sealed alone, in their place`() throws {
        let vault = SecretVault()
        let secret = Secret("a shared secret of 32 bytes or more")
        let made = ControlSeal(vault, sharedSecret: secret, prefersVault: true)
        let seal = try #require(made)
        let text = Self.record.text
        let found = seal.seal(text.span, purpose: "control.record/12")
        let sealed = try #require(found)
        #expect(seal.open(sealed, purpose: "control.record/12") == text)
        #expect(seal.open(sealed, purpose: "control.record/13") == nil)
        let different = ControlSeal(
            vault, sharedSecret: Secret("another secret of 32 bytes or more"), prefersVault: true)
        let other = try #require(different)
        #expect(other.open(sealed, purpose: "control.record/12") == nil)
        for seed in SplitMix64.seeds(500) {
            var random = SplitMix64(seed)
            let bytes = Self.changed(sealed, &random)
            if bytes != sealed { #expect(seal.open(bytes, purpose: "control.record/12") == nil, "seed \(seed)") }
        }
    }

    /// A store that was begun before there were master keys: what the shared secret has sealed is none of theirs.
    @Test func `are moved to another master key where one has sealed them`() throws {
        let directory = NSTemporaryDirectory() + "sluice-control-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let secret = Secret("a shared secret of 32 bytes or more")
        func keys(_ seeds: UInt64...) -> MasterKeys {
            MasterKeys(
                seeds.map { seed in
                    var random = SplitMix64(seed)
                    let bytes = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                    return Secret(bytes.span)
                })
        }
        func store(_ vault: SecretVault, _ secret: Secret?) throws -> ControlStore {
            try ControlStore(directory: directory, seal: ControlSeal(vault, sharedSecret: secret, prefersVault: true))
        }
        func record(_ revision: Int, _ names: [String]) -> ControlRecord {
            ControlRecord(
                revision: revision, at: 1, author: "a", reason: "", node: "n",
                changes: names.map {
                    .init(unit: ConfigUnit(section: "models", name: $0), value: ConfigValue(.string("value of \($0)")))
                }, differences: [])
        }
        try store(SecretVault(), secret).append(record(1, ["shared 1", "shared 2"]), keeping: 10)
        let vault = SecretVault(keys(1))
        let first = try store(vault, secret)
        for revision in 2...6 { try first.append(record(revision, ["m\(revision) a", "m\(revision) b"]), keeping: 100) }
        vault.adopt(keys(2, 1))
        let reseal = ControlReseal(first)
        var (cursor, moved, lookedAt, unreadable): (String?, Int, Int, Int) = (nil, 0, 0, 0)
        repeat {
            let batch = try reseal.reseal(after: cursor, count: 3, with: vault)
            (moved, lookedAt) = (moved + batch.moved, lookedAt + batch.lookedAt)
            unreadable += batch.unreadable
            cursor = batch.cursor
        } while cursor != nil
        #expect(moved == 10 && lookedAt == 10 && unreadable == 0)
        let state = try store(SecretVault(keys(2)), secret).state()
        #expect(state.units.count == 12)
        #expect(state.units[ConfigUnit(section: "models", name: "m4 b")] == ConfigValue(.string("value of m4 b")))
        #expect(throws: (any Error).self) { try store(SecretVault(keys(1)), secret).state() }
    }
}
