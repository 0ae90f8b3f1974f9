internal import CLinux
internal import Glibc
package import SluiceCore
internal import Synchronization

/// Names to addresses, off the loops: `getaddrinfo` blocks, and knows what the machine is configured to know.
///
/// Answers are kept for a while and asked for again; when that fails, the last good ones stay in use.
package final class Resolver: Sendable {
    package enum Failure: Error, Sendable, Equatable {
        case notFound(String)
        case unavailable(String)
        case timedOut(String)
        /// In words, with the name in question.
        package var text: String {
            switch self {
            case .notFound(let host): "the host name \(host) does not exist"
            case .unavailable(let host): "the name service gave no answer for \(host)"
            case .timedOut(let host): "the name service gave no answer for \(host) in time"
            }
        }
    }

    private typealias Answer = @Sendable (Result<[SocketAddress], Failure>) -> Void

    private struct Entry {
        var addresses: [SocketAddress]
        var askedAt: Instant
        var isAsking: Bool
        var waiting: [Answer] = []
    }

    /// `getaddrinfo` does not tell how long an answer holds.
    private let freshFor: Duration
    private let lookUp: @Sendable (String) -> Result<[SocketAddress], Failure>
    /// How many names are looked up at once; one that hangs does not hold up the others.
    private static let threadsAtMost = 4
    private static let namesAtMost = 4096
    /// Requests that wait for one name; most of them have given up when there are so many.
    private static let waitingAtMost = 16_384

    private struct State {
        var entries: [String: Entry] = [:]
        var queue: [String] = []
        var threads = 0
    }

    private let state = Mutex(State())

    package convenience init() { self.init(freshFor: .seconds(30)) { Self.askSystem($0) } }

    /// - Parameter lookUp: called on threads of the resolver's own; it may block.
    init(freshFor: Duration, lookUp: @escaping @Sendable (String) -> Result<[SocketAddress], Failure>) {
        self.freshFor = freshFor
        self.lookUp = lookUp
    }

    /// The addresses of a host, port 0. To be called on `loop`, where it also returns.
    ///
    /// - Parameter deadline: the system's own patience with a name service that is gone is much longer than ours.
    package func resolve(
        _ host: String, by deadline: Instant, on loop: EventLoop
    ) async throws(Failure) -> [SocketAddress] {
        if let address = SocketAddress(ip: host, port: 0) { return [address] }
        let wait = Wait(host)
        nonisolated(unsafe) let confined = wait  // used on the loop alone: the answer is carried there
        let (known, unanswered) = state.withLock { state -> ([SocketAddress]?, [Answer]) in
            if let entry = state.entries[host], !entry.addresses.isEmpty {
                let isStale = loop.now - entry.askedAt > freshFor && !entry.isAsking
                return (entry.addresses, isStale ? ask(host, &state) : [])
            }
            makeEntry(host, at: loop.now, &state)
            state.entries[host]?.waiting.append { result in loop.execute { unsafe confined.waiter.fulfil(result) } }
            return (nil, state.entries[host]?.isAsking == false ? ask(host, &state) : [])
        }
        for answer in unanswered { answer(.failure(.unavailable(host))) }
        if let known { return known }
        let timer = LoopTimer(target: wait)
        loop.arm(timer, at: deadline)
        let result = await wait.waiter.wait()
        loop.remove(timer)
        return try result.get()
    }

    private func makeEntry(_ host: String, at now: Instant, _ state: inout State) {
        if state.entries[host] == nil {
            if state.entries.count >= Self.namesAtMost { state.entries = state.entries.filter { $0.value.isAsking } }
            state.entries[host] = Entry(addresses: [], askedAt: now, isAsking: false)
        }
        guard let waiting = state.entries[host]?.waiting.count, waiting >= Self.waitingAtMost else { return }
        state.entries[host]?.waiting.removeFirst(waiting / 2)  // their time is over: they have waited longest
    }

    /// - Returns: who gets no answer, since the system gives no thread to look for one.
    private func ask(_ host: String, _ state: inout State) -> [Answer] {
        state.entries[host]?.isAsking = true
        state.queue.append(host)
        if state.threads >= Self.threadsAtMost { return [] }
        if Thread.tryStart("resolver", { self.work() }) {
            state.threads += 1
            return []
        }
        if state.threads > 0 { return [] }
        state.queue = []
        state.entries[host]?.isAsking = false
        defer { state.entries[host]?.waiting = [] }
        return state.entries[host]?.waiting ?? []
    }

    /// One request that waits for an answer, with its deadline.
    private final class Wait: TimerTarget {
        let waiter = Waiter<Result<[SocketAddress], Failure>>()
        private let host: String
        init(_ host: String) { self.host = host }
        func timerFired(_ timer: LoopTimer) { waiter.fulfil(.failure(.timedOut(host))) }
    }

    /// A thread lives while there are names to look up.
    private func work() {
        while true {
            let host = state.withLock { state -> String? in
                if !state.queue.isEmpty { return state.queue.removeFirst() }
                state.threads -= 1
                return nil
            }
            guard let host else { return }
            let result = lookUp(host)
            let waiting = state.withLock { state in
                let waiting = state.entries[host]?.waiting ?? []
                state.entries[host]?.waiting = []
                state.entries[host]?.isAsking = false
                state.entries[host]?.askedAt = EventLoop.readClock()
                if case .success(let addresses) = result { state.entries[host]?.addresses = addresses }
                return waiting
            }
            for answer in waiting { answer(result) }
        }
    }

    private static func askSystem(_ host: String) -> Result<[SocketAddress], Failure> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        defer { if unsafe list != nil { unsafe freeaddrinfo(list) } }
        if code != 0 { return .failure(code == EAI_NONAME ? .notFound(host) : .unavailable(host)) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let info = unsafe next {
            if let raw = unsafe info.pointee.ai_addr {
                let address = unsafe raw.withMemoryRebound(to: sockaddr_storage.self, capacity: 1) {
                    unsafe SocketAddress($0, length: info.pointee.ai_addrlen)
                }
                if let address, !addresses.contains(address) { addresses.append(address) }
            }
            unsafe next = info.pointee.ai_next
        }
        return addresses.isEmpty ? .failure(.notFound(host)) : .success(interleaved(addresses))
    }

    /// Families in turn, the system's first choice first (RFC 8305 §4).
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        var same = addresses.filter { $0.family == first.family }[...]
        var other = addresses.filter { $0.family != first.family }[...]
        var result: [SocketAddress] = []
        while !same.isEmpty || !other.isEmpty {
            if let address = same.popFirst() { result.append(address) }
            if let address = other.popFirst() { result.append(address) }
        }
        return result
    }
}
