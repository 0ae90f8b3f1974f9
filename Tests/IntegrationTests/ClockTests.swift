import Foundation
import Glibc
import TestSupport
import Testing

/// The time of day as one program sees it: as far from the machine's as is said. Time that passes is the machine's.
final class MovableClock {
    private let path = NSTemporaryDirectory() + "sluice-clock-\(UUID().uuidString)"

    /// In the place of the system's functions (ld.so(8), LD_PRELOAD).
    private static let source = #"""
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static volatile long *seconds;

        __attribute__((constructor)) static void begin(void) {
            int fd = open(getenv("CLOCK_FILE"), O_RDONLY | O_CLOEXEC);
            seconds = mmap(NULL, sizeof *seconds, PROT_READ, MAP_SHARED, fd, 0);
            close(fd);
        }

        int clock_gettime(clockid_t clock, struct timespec *now) {
            int result = syscall(SYS_clock_gettime, clock, now);
            if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += *seconds;
            return result;
        }

        int gettimeofday(struct timeval *restrict now, void *restrict zone) {
            struct timespec time;
            clock_gettime(CLOCK_REALTIME, &time);
            now->tv_sec = time.tv_sec;
            now->tv_usec = time.tv_nsec / 1000;
            return 0;
        }

        time_t time(time_t *now) {
            struct timespec time;
            clock_gettime(CLOCK_REALTIME, &time);
            if (now) *now = time.tv_sec;
            return time.tv_sec;
        }
        """#

    private static let compiler = ["clang", "gcc", "cc"].first { Shell.run("command -v \($0) >/dev/null") == 0 }
    static var isPossible: Bool { compiler != nil }

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Self.source.write(toFile: path + "/clock.c", atomically: true, encoding: .utf8)
        try set(days: 0)
        let compiler = Self.compiler ?? "cc"
        guard Shell.run("\(compiler) -shared -fPIC -O1 -o \(path)/clock.so \(path)/clock.c") == 0 else {
            throw TimedOut("a library that \(compiler) makes")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var environment: [String: String] { ["LD_PRELOAD": path + "/clock.so", "CLOCK_FILE": path + "/seconds"] }

    /// In place: the program has the file in its memory.
    func set(days: Int) throws {
        let file = path + "/seconds"
        if !FileManager.default.fileExists(atPath: file) {
            _ = FileManager.default.createFile(atPath: file, contents: Data(count: MemoryLayout<Int>.size))
        }
        let handle = try #require(FileHandle(forWritingAtPath: file))
        var seconds = days * 86_400
        try handle.write(contentsOf: unsafe Data(bytes: &seconds, count: MemoryLayout<Int>.size))
        try handle.close()
    }
}

@Suite(.enabled(if: MovableClock.isPossible)) struct `A clock that jumps` {
    private static let (brief, lasting) = ("brief-0123456789abcdef", "lasting-0123456789abcdef")

    private func chat(_ sluice: SluiceProcess, _ id: String, _ key: String = lasting) throws -> Int {
        try sluice.chat(Sample.chat, ["authorization: Bearer \(key)", "x-request-id: \(id)"]).status
    }

    private func ids(_ sluice: SluiceProcess) throws -> [String] {
        let reply = try sluice.api("GET", "/api/v1/history?limit=1000", "", ["authorization: Bearer \(Self.lasting)"])
        return reply.json["records"].array.compactMap { $0["request_id"].string }
    }

    private func awaitIDs(_ sluice: SluiceProcess, _ wanted: [String]) throws {
        try awaitTrue("the records \(wanted), there are \((try? ids(sluice)) ?? [])") { try ids(sluice) == wanted }
    }

    @Test func `by years, in either direction, deletes and confuses nothing, and what has an end ends by the clock there is`()
        throws
    {
        let (upstream, store, clock) = (try ScriptedUpstream(), try Store(), try MovableClock())
        defer { upstream.stop() }
        let formatter = ISO8601DateFormatter()
        let soon = formatter.string(from: Date(timeIntervalSinceNow: 3600))
        var configuration = Configuration(upstream)
        configuration.others = [
            #"storage: {directory: "\#(store.path)"}"#, "records: {commit_interval_ms: 20, retention_days: 30}",
            #"access: {keys: {brief: {secret: "\#(Self.brief)", expires: "\#(soon)"}, lasting: {secret: "\#(Self.lasting)", roles: ["admin"]}}}"#,
        ]
        let sluice = try SluiceProcess(configuration, environment: clock.environment)
        #expect(try chat(sluice, "today") == 200)
        #expect(try chat(sluice, "today-brief", Self.brief) == 200)
        try awaitIDs(sluice, ["today-brief", "today"])

        try clock.set(days: 4000)
        #expect(try chat(sluice, "ahead-brief", Self.brief) == 401)
        #expect(try chat(sluice, "ahead") == 200)
        try awaitIDs(sluice, ["ahead", "today-brief", "today"])
        // Old records are looked for every second: two such looks.
        let looks = ContinuousClock.now + .milliseconds(2500)
        while .now < looks { usleep(50_000) }
        #expect(try ids(sluice) == ["ahead", "today-brief", "today"])

        try clock.set(days: -4000)
        #expect(try chat(sluice, "back") == 200)
        #expect(try chat(sluice, "back-brief", Self.brief) == 200)
        try awaitIDs(sluice, ["back-brief", "back", "ahead", "today-brief", "today"])

        try clock.set(days: 0)
        #expect(try chat(sluice, "again") == 200)
        try awaitIDs(sluice, ["again", "back-brief", "back", "ahead", "today-brief", "today"])
        #expect(try sluice.health().json["records_error"].string == nil)
        try sluice.end()
        let verified = try SluiceTool.run(["audit", "verify", store.path])
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    }
}
