internal import SluiceDownstream

/// One recording for all who want to keep something of a reply.
enum Recording {
    /// Has the bytes of whole replies kept, and what streams say.
    static func begin(
        _ context: RequestContext, byteCountMax: Int, makeCollector: @escaping () -> StreamCollector?
    ) {
        let wanted = context.recording?.keepsStreams == true
        let most = max(byteCountMax, context.recording?.byteCountMax ?? 0)
        set(ReplyRecording(keepsStreams: wanted, byteCountMax: most, makeCollector: makeCollector), context)
    }

    /// Has the bytes of every reply kept.
    static func begin(verbatim context: RequestContext, byteCountMax: Int) {
        set(ReplyRecording(keepsStreams: true, byteCountMax: byteCountMax) { nil }, context)
    }

    private static func set(_ recording: ReplyRecording, _ context: RequestContext) {
        context.recording = recording
        let (first, spans) = (context.exchange.tap, context.spanNotes)
        if let notes = context.notes, first === notes || spans != nil && spans?.next === notes {
            notes.next = recording
        } else if let spans, first === spans {
            spans.next = recording
        } else {
            context.exchange.tap = recording
        }
    }
}
