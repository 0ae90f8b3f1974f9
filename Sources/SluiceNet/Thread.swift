internal import CLinux
internal import Glibc

/// A thread of the operating system, for a loop or for work that blocks.
package enum Thread {
    private final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts a detached thread.
    ///
    /// - Parameter name: what the system shows, at most 15 bytes.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let isStarted = tryStart(name, body)
        precondition(isStarted, "the system gives no more threads")
    }

    /// The same for work that can wait or be left undone.
    ///
    /// - Returns: false if the system gives no more threads.
    package static func tryStart(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        let start = Start {
            _ = unsafe pthread_setname_np(pthread_self(), name)
            body()
        }
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(&attributes, 1 << 20)
        var thread = pthread_t()
        let retained = unsafe Unmanaged.passRetained(start)
        let result = unsafe pthread_create(
            &thread, &attributes,
            { pointer in
                guard let pointer = unsafe pointer else { return nil }
                unsafe Unmanaged<Start>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, retained.toOpaque())
        unsafe pthread_attr_destroy(&attributes)
        if result != 0 { unsafe retained.release() }
        return result == 0
    }
}
