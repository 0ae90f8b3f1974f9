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

    /// What goes out from now on is not to be kept for others.
    static func end(_ context: RequestContext) { set(nil, context) }

    private static func set(_ recording: ReplyRecording?, _ context: RequestContext) {
        context.recording = recording
        context.watchReply()
    }
}

extension RequestContext {
    /// Puts in a row whoever watches the reply: spans, the record, and what keeps it for others.
    func watchReply() {
        var tap: (any ReplyTap)? = recording
        if let notes, notes.takesReply {
            notes.next = tap
            tap = notes
        }
        if let spanNotes {
            spanNotes.next = tap
            tap = spanNotes
        }
        exchange.tap = tap
    }
}
