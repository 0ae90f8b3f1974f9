import Foundation
import Glibc
import Testing

@testable import sluice_bench

@Suite struct `A load at a fixed rate` {
    private static let rate = 200
    private static let stall = 400 * Clock.millisecond

    /// The stand-in on a thread of its own; it lives as long as the tests.
    private static func serve(_ listener: Int32) {
        Thread.detachNewThread {
            do { try UpstreamServer(listener: listener).run() } catch { Issue.record(error) }
        }
    }

    @Test func `counts what waits behind a stall, though few requests meet it on the way`() throws {
        let listener = try Socket.listen(port: 0)
        let load = try OpenLoop(
            port: Socket.port(of: listener), ratePerSecond: Self.rate, connections: 4, request: ChatRequest(.plain))
        // Nobody answers yet: connections wait in the backlog.
        let start = Clock.now()
        let dueCount = load.startRecording(until: start + 2 * Self.stall)
        try load.run(until: start + Self.stall)
        #expect(load.totals.completed == 0)
        Self.serve(listener)
        try load.run(until: start + 2 * Self.stall)
        try load.drain(until: Clock.now() + 20 * Clock.second)

        #expect(load.totals.firstFailure == nil)
        #expect(abs(load.totals.completed - dueCount) <= 1)
        // Three eighths of all were due in the first 300 of 800 ms, and waited 100 ms and longer.
        #expect(load.totals.latency.milliseconds(0.8) >= 100)
        // The first waited for all of it, less what it took to begin.
        #expect(load.totals.latency.milliseconds(1) >= 300)
    }

    @Test func `counts what is never answered as late, and not as answered`() throws {
        let listener = try Socket.listen(port: 0)
        defer { close(listener) }
        let load = try OpenLoop(
            port: Socket.port(of: listener), ratePerSecond: Self.rate, connections: 4, request: ChatRequest(.plain))
        let start = Clock.now()
        let dueCount = load.startRecording(until: start + Self.stall)
        try load.run(until: start + Self.stall)
        #expect(load.totals.latency.count == 0)
        load.recordUnanswered()
        #expect(load.totals.completed == 0)
        #expect(abs(load.totals.latency.count - dueCount) <= 1)
        #expect(load.totals.latency.milliseconds(1) >= 300)
    }

    @Test func `records nothing that was due before recording began`() throws {
        let listener = try Socket.listen(port: 0)
        Self.serve(listener)
        let load = try OpenLoop(
            port: Socket.port(of: listener), ratePerSecond: Self.rate, connections: 4, request: ChatRequest(.plain))
        try load.run(until: Clock.now() + 50 * Clock.millisecond)
        let deadline = Clock.now() + 200 * Clock.millisecond
        let dueCount = load.startRecording(until: deadline)
        load.totals = Totals()
        try load.run(until: deadline)
        try load.drain(until: Clock.now() + 20 * Clock.second)
        #expect(load.totals.latency.count == load.totals.completed)
        #expect(abs(load.totals.completed - dueCount) <= 1)
    }
}
