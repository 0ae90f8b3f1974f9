internal import SluiceJSON

/// What the events of a stream with types say (section 11 of the OpenAI sheet).
enum ResponsesContent {
    /// Events that open the response, an item or a part, or only keep the stream alive.
    private static let openings: [StaticString] = [
        "response.created", "response.in_progress", "response.queued", "response.content_part.added",
        "response.reasoning_summary_part.added", "keepalive", "ping",
    ]

    /// Whether a reader would notice an event (theme 3.2).
    static func isNoticed(_ event: JSONValue) -> Bool {
        guard let type = event["type"] else { return true }
        for opening in openings where type.equals(opening) { return false }
        if !type.equals("response.output_item.added") { return true }
        // A call is named at once; a message and reasoning say something later.
        guard let item = event["item"]?["type"] else { return true }
        return !item.equals("message") && !item.equals("reasoning")
    }
}
