internal import SluiceJSON

/// Which of a reply's tool calls a piece belongs to, where the provider numbers or names its calls.
struct ToolCallPlaces {
    private struct Call {
        let index: Int?
        let id: String?
    }

    private var calls: [Call] = []
    /// Bounds what a stream can make us remember.
    private static let countMax = 1024

    var count: Int { calls.count }

    /// By its index, else by its id, else the last one.
    ///
    /// - Parameter isNamed: the piece has the function's name: without index and id, it is a new call's.
    /// - Returns: a call that is known, or `count` for a new one.
    func place(index: Int?, id: String?, isNamed: Bool) -> Int {
        let id = id.flatMap { $0.isEmpty ? nil : $0 }
        if let index, let place = calls.lastIndex(where: { $0.index == index }) {
            // Some number every call 0, but name each.
            guard let id, let known = calls[place].id, known != id else { return place }
            return calls.firstIndex { $0.id == id } ?? count
        }
        if index != nil { return count }
        if let id { return calls.firstIndex { $0.id == id } ?? count }
        return isNamed || calls.isEmpty ? count : count - 1
    }

    /// - Returns: false if there are too many.
    mutating func add(index: Int?, id: String?) -> Bool {
        if calls.count >= Self.countMax { return false }
        calls.append(Call(index: index, id: id.flatMap { $0.isEmpty ? nil : $0 }))
        return true
    }
}

extension ReplyText {
    /// What a string says that may not be there.
    @_lifetime(copy value)
    static func of(_ value: JSONValue?) -> ReplyText? {
        guard let value else { return nil }
        return ReplyText(value)
    }
}
