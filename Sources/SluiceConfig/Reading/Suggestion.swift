/// What somebody who wrote a wrong name may have meant.
package enum Suggestion {
    /// Names longer than this are not compared.
    private static let lengthMax = 64

    /// The nearest of `candidates`, if it is near enough to be what was meant.
    package static func nearest(to name: String, among candidates: [String]) -> String? {
        let wanted = Array(name.utf8)
        if wanted.count > lengthMax { return nil }
        let allowance = (wanted.count + 2) / 3
        var best: (distance: Int, name: String)?
        for candidate in candidates where candidate.utf8.count <= lengthMax {
            let distance = distance(wanted, Array(candidate.utf8))
            if distance <= allowance, distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        return best?.name
    }

    /// How many bytes have to be added, removed, changed or swapped with their neighbour to make one name of the other
    /// (optimal string alignment).
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var rows = [Array(0...b.count)]
        for i in 1...max(1, a.count) where i <= a.count {
            var row = [i]
            for j in 1...max(1, b.count) where j <= b.count {
                var cost = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, rows[i - 2][j - 2] + 1) }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}

/// `a, b or c`.
func alternatives(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "nothing" }
    return names.dropLast().joined(separator: ", ") + " or " + last
}
