internal import CAdapters
internal import Synchronization

/// An adapter of the binary's, known by name until it is read.
package struct BuiltInAdapter: Sendable, Equatable {
    package let name: String
    /// Those of its key and of its base URL.
    package let variables: [String]
    private let index: Int

    /// In the order in which keys are looked for.
    package static let all: [BuiltInAdapter] = (0..<Int(sluice_adapter_count)).map { index in
        let entry = unsafe sluice_adapter(Int32(index))
        let variables = unsafe String(cString: entry.variables).split(separator: " ").map(String.init)
        return unsafe BuiltInAdapter(name: String(cString: entry.name), variables: variables, index: index)
    }

    /// Those that were read, by index; each is read once.
    private static let known = Mutex<[Int: Adapter]>([:])

    func read() -> Adapter {
        if let adapter = Self.known.withLock({ $0[index] }) { return adapter }
        let entry = unsafe sluice_adapter(Int32(index))
        let bytes = unsafe Array(UnsafeRawBufferPointer(start: entry.bytes, count: Int(entry.count)))
        do {
            let adapter = try Adapter.read(text: bytes, environment: .fixed())
            Self.known.withLock { $0[index] = adapter }
            return adapter
        } catch {
            preconditionFailure("the built-in adapter \(name) has mistakes:\n\(error)")
        }
    }
}
