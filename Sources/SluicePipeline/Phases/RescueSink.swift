internal import SluiceCore
internal import SluicePolicy
internal import SluiceProviders

/// Stands between a decoder and the writer of the application's stream: takes down what goes out, and, where the stream is being
/// rescued, keeps back what the application has already.
final class RescueSink: ReplySink {
    private enum Stage {
        /// Everything goes on.
        case open
        /// The answer is the first one once more: it has to repeat these runs, from this one on.
        case splice(runs: [ReplyRecord.Run], at: Int, SpliceComparer)
        /// The answer goes on where the first broke off; a provider may repeat all of it.
        case continuation(SpliceComparer)
        /// White space at the end of what there was, which the provider was not shown: so many bytes of it came.
        case blanks([UInt8], Int)
    }

    private let rescue: Rescue
    private let writer: any StreamWriter
    private let record: ReplyRecord
    private var stage: Stage
    /// Blocks of reasoning that the application has, under another seal.
    private var sealsLeft = 0
    private let scratch = ByteBuffer(capacity: 256)
    private(set) var fault: ProviderFault?
    /// What this attempt cost, without those before it.
    private(set) var usage: Usage?
    /// The answer is not the one that the application has the beginning of.
    private(set) var isDifferent = false
    private(set) var repeatedByteCount = 0
    /// Pieces of the answer that came.
    private(set) var pieceCount = 0

    init(_ rescue: Rescue, _ writer: any StreamWriter) {
        self.rescue = rescue
        self.writer = writer
        record = rescue.record
        switch rescue.step?.way {
        case nil: stage = .open
        case .prefill:
            let said = rescue.prefix
            // So few bytes may as well be said twice.
            stage =
                said.count >= Self.repeatedByteCountMin
                ? .continuation(SpliceComparer(said)) : .blanks(rescue.blanks, 0)
        case .splice:
            let runs = record.decoded()
            stage = runs.first.map { .splice(runs: runs, at: 0, SpliceComparer($0.bytes)) } ?? .open
            sealsLeft = record.sealCount
        }
    }

    private static let repeatedByteCountMin = 16

    // MARK: ReplySink

    func begin(id: ReplyText?, model: ReplyText?) { writer.begin(id: id, model: model) }
    func origin(created: Int?, fingerprint: ReplyText?) { writer.origin(created: created, fingerprint: fingerprint) }
    func text(_ text: ReplyText) { take(.text, text) }
    func reasoning(_ text: ReplyText) { take(.reasoning, text) }
    func refusal(_ text: ReplyText) { take(.refusal, text) }

    func reasoningBlock(_ block: ReasoningBlock) {
        pieceCount += 1
        if sealsLeft > 0 {
            sealsLeft -= 1
            return
        }
        if rescue.step?.way == .prefill { return }
        record.appendSeal()
        writer.reasoningBlock(block)
    }

    func image(_ image: ReplyImage) {
        if !leaveText() { return }
        record.lose()
        writer.image(image)
    }

    func toolCall(_ index: Int, _ call: ToolCallStart) {
        if !leaveText() { return }
        record.lose()
        writer.toolCall(index, call)
    }

    func toolArguments(_ index: Int, _ fragment: ReplyText) {
        pieceCount += 1
        if !isDifferent { writer.toolArguments(index, fragment) }
    }

    func finish(_ reason: FinishReason) { if leaveText() { writer.finish(reason) } }

    func usage(_ usage: Usage) {
        self.usage = usage
        writer.usage(Usage.sum(rescue.spent, usage) ?? usage)
    }

    func fault(_ fault: ProviderFault) { if self.fault == nil { self.fault = fault } }

    /// The answer is complete.
    func end() { _ = leaveText() }

    // MARK: Comparing

    private func take(_ kind: ReplyRecord.Kind, _ text: ReplyText) {
        pieceCount += 1
        // What the model thinks before it goes on is no part of the answer.
        if isDifferent || kind == .reasoning && rescue.step?.way == .prefill { return }
        if case .open = stage { return pass(kind, text) }
        let scratch = scratch
        scratch.removeAll()
        text.append(plainTo: scratch)
        compare(kind, scratch.span)
    }

    private func compare(_ kind: ReplyRecord.Kind, _ piece: Span<UInt8>) {
        switch stage {
        case .open: pass(kind, ReplyText(piece))
        case .splice(let runs, let at, let comparer): splice(kind, piece, runs, at, comparer)
        case .continuation(let comparer): if kind == .text { goOn(piece, comparer) }
        case .blanks(let blanks, let count): if kind == .text { skip(blanks, count, piece) }
        }
    }

    private func splice(
        _ kind: ReplyRecord.Kind, _ piece: Span<UInt8>, _ runs: [ReplyRecord.Run], _ at: Int, _ before: SpliceComparer
    ) {
        if piece.isEmpty { return }
        if kind != runs[at].kind { return differ() }
        var comparer = before
        let verdict = comparer.take(piece)
        repeatedByteCount += comparer.repeatedByteCount - before.repeatedByteCount
        switch verdict {
        case .swallowed: stage = .splice(runs: runs, at: at, comparer)
        case .differs: differ()
        case .passes(let offset):
            if at + 1 < runs.count {
                // The next run is of another kind.
                if offset < piece.count { return differ() }
                stage = .splice(runs: runs, at: at + 1, SpliceComparer(runs[at + 1].bytes))
            } else {
                stage = .open
                pass(kind, ReplyText(piece.extracting(offset...)))
            }
        }
    }

    private func goOn(_ piece: Span<UInt8>, _ before: SpliceComparer) {
        var comparer = before
        let verdict = comparer.take(piece)
        switch verdict {
        case .swallowed: stage = .continuation(comparer)
        case .passes(let offset):
            repeatedByteCount += comparer.repeatedByteCount
            stage = .blanks(rescue.blanks, 0)
            compare(.text, piece.extracting(offset...))
        case .differs:
            // What looked like a repetition was none.
            let offset = comparer.repeatedByteCount - before.repeatedByteCount
            stage = .blanks(rescue.blanks, 0)
            let held = Array(comparer.repeated)
            if !held.isEmpty { compare(.text, held.span) }
            if !isDifferent { compare(.text, piece.extracting(offset...)) }
        }
    }

    /// The application has the white space already: the model has to say the same, or, where its provider leaves it out, none.
    private func skip(_ blanks: [UInt8], _ count: Int, _ piece: Span<UInt8>) {
        var count = count
        var offset = 0
        while offset < piece.count, count < blanks.count, piece[offset] == blanks[count] {
            offset += 1
            count += 1
        }
        if count < blanks.count {
            if offset == piece.count {
                stage = .blanks(blanks, count)
                return
            }
            if count > 0 || piece[offset].isBlank { return differ() }
        }
        stage = .open
        pass(.text, ReplyText(piece.extracting(offset...)))
    }

    /// Something came that is no text, or the end.
    ///
    /// - Returns: whether it goes on.
    private func leaveText() -> Bool {
        pieceCount += 1
        if isDifferent { return false }
        switch stage {
        case .open, .blanks: break
        case .splice: differ()
        case .continuation(let comparer):
            stage = .blanks(rescue.blanks, 0)
            let held = Array(comparer.repeated)
            if !held.isEmpty { compare(.text, held.span) }
        }
        if !isDifferent { stage = .open }
        return !isDifferent
    }

    private func differ() { isDifferent = true }

    private func pass(_ kind: ReplyRecord.Kind, _ text: ReplyText) {
        if text.isEmpty { return }
        record.append(kind, text)
        switch kind {
        case .text: writer.text(text)
        case .reasoning: writer.reasoning(text)
        case .refusal: writer.refusal(text)
        }
    }
}

extension UInt8 {
    /// White space as models write it.
    var isBlank: Bool { self == 0x20 || self >= 0x09 && self <= 0x0D }
}
