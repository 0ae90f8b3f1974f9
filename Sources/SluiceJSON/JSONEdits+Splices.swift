extension JSONEdits {
    /// Works out the edited document.
    ///
    /// - Parameter root: the document's own value, from the tape that the edits refer to.
    package func splices(over root: JSONValue) -> JSONSplices {
        precondition(isEmpty || isOf(root), "edits of one document were used with another")
        var pieces: [JSONPiece] = []
        pieces.reserveCapacity(changes.count)
        for change in changes where change.action == .replace {
            pieces.append(JSONPiece(original: root.entry(change.value).range, inserted: change.valueText, order: 0))
        }
        var structural = changes.filter { $0.action != .replace }
        if structural.count > 1 { structural.sort { $0.container < $1.container } }
        var start = 0
        while start < structural.count {
            var end = start + 1
            while end < structural.count, structural[end].container == structural[start].container { end += 1 }
            addPieces(for: structural[start..<end], of: root, to: &pieces)
            start = end
        }
        if pieces.count > 1 { pieces.sort(by: JSONPiece.precedes) }
        return JSONSplices(pieces, inserted: inserted, originalCount: root.bytes.count)
    }

    /// The removals and insertions of one container, with the commas that go and come with them.
    private func addPieces(for changes: ArraySlice<Change>, of root: JSONValue, to pieces: inout [JSONPiece]) {
        var removed: [Int] = []
        for change in changes where change.action == .remove { removed.append(change.value) }
        if removed.count > 1 { removed.sort() }
        let kept = removeChildren(removed, of: changes[changes.startIndex].container, in: root, &pieces)
        var isFirst = kept.isEmpty
        for action in [Action.prepend, .append] {
            for change in changes where change.action == action {
                let text = change.text
                let hasCommaAfter = action == .prepend && !kept.isEmpty
                let low = isFirst || hasCommaAfter ? text.lowerBound : text.lowerBound - 1
                let high = hasCommaAfter ? text.upperBound + 1 : text.upperBound
                let place = action == .prepend ? kept.start : kept.end
                pieces.append(JSONPiece(original: place..<place, inserted: low..<high, order: pieces.count))
                isFirst = false
            }
        }
    }

    /// What is removed takes the comma before it along if something before it stays, and the comma after it otherwise.
    ///
    /// - Parameter removed: the removed values' places on the tape, in order.
    /// - Returns: where the first member or element starts and the last one ends, and whether none of them stays.
    private func removeChildren(
        _ removed: [Int], of container: Int, in root: JSONValue, _ pieces: inout [JSONPiece]
    ) -> (start: Int, end: Int, isEmpty: Bool) {
        let entry = root.entry(container)
        let valueOffset = entry.isKind(.object) ? 1 : 0
        let start = entry.range.lowerBound + 1
        var kept = (start: start, end: start, isEmpty: true)
        var rest = removed[...]
        var child = container + 1
        while child < Int(entry.next) {
            let value = root.entry(child + valueOffset)
            let low = root.entry(child).range.lowerBound
            let high = value.range.upperBound
            let next = Int(value.next)
            if child == container + 1 { kept.start = low }
            if rest.first == child + valueOffset {
                rest.removeFirst()
                let nextLow = next < Int(entry.next) ? root.entry(next).range.lowerBound : high
                let range = kept.isEmpty ? low..<nextLow : kept.end..<high
                pieces.append(JSONPiece(original: range, inserted: 0..<0, order: pieces.count))
            } else {
                kept.isEmpty = false
            }
            kept.end = high
            child = next
        }
        return kept
    }
}
