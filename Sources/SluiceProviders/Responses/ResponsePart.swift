internal import SluiceCore

/// A part of an item that is being written.
struct ResponsePart {
    /// The item's.
    let id: String
    let outputIndex: Int
    /// Where it is in the item.
    let contentIndex: Int
    /// The members that say where it is, each with a comma before it.
    let place: ByteBuffer
    /// What every event that adds to it begins with, up to its sequence number.
    let delta: ByteBuffer
    /// All that was said: the inside of a JSON string.
    let text = ByteBuffer(capacity: 256)

    /// - Parameter indexName: the member that tells which part of its item it is, if it is one of several.
    init(
        _ event: StaticString, _ id: String, outputIndex: Int, _ indexName: StaticString? = nil,
        _ contentIndex: Int = 0,
        hasLogprobs: Bool = false
    ) {
        self.id = id
        self.outputIndex = outputIndex
        self.contentIndex = contentIndex
        place = ByteBuffer(capacity: 96)
        place.append(",\"item_id\":\"" as StaticString)
        place.append(id)
        place.append("\",\"output_index\":" as StaticString)
        place.append(decimal: outputIndex)
        if let indexName {
            place.append(",\"" as StaticString)
            place.append(indexName)
            place.append("\":" as StaticString)
            place.append(decimal: contentIndex)
        }
        delta = ByteBuffer(capacity: 224)
        delta.append("event: " as StaticString)
        delta.append(event)
        delta.append("\ndata: {\"type\":\"" as StaticString)
        delta.append(event)
        delta.append(UInt8(ascii: "\""))
        delta.append(place.span)
        if hasLogprobs { delta.append(",\"logprobs\":[]" as StaticString) }
        delta.append(",\"sequence_number\":" as StaticString)
    }
}

/// A call that is being written.
struct ResponseCall {
    let part: ResponsePart
    /// Its members `call_id` and `name`.
    let names: ByteBuffer
    var isOpen = true
    /// Another item has begun since.
    var isFollowed = false
}
