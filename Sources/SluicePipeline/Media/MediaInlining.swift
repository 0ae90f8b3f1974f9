internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

/// Puts images that a request names by URL into the request, for a target that takes them as data alone.
enum MediaInlining {
    /// - Parameter body: a canonical request; the tape holds its document, then and afterwards.
    /// - Returns: the request with the images in it; the same if there is nothing to do.
    static func inline(
        _ body: ByteBuffer, _ context: RequestContext, _ fetcher: MediaFetcher, tape: JSONTape
    ) async throws(Rejection) -> ByteBuffer {
        let policy = context.snapshot.media
        guard policy.fetches else { return body }
        let wanted = try urls(tape.root(over: body.span), policy)
        if wanted.isEmpty { return body }
        var images: [ByteBuffer] = []
        // With its images a request is no longer than one that brings them itself, in bytes of Base64.
        var room = max(0, context.snapshot.limits.bodyBytesMax - body.count)
        for (text, url) in wanted {
            do throws(UpstreamError) {
                let image = try await fetcher.fetch(url, policy, atMost: min(policy.byteCountMax, room / 4 * 3)) {
                    exchange in
                    context.attempt.upstream = exchange
                    if context.exchange.isAbandoned {
                        exchange.cancel(UpstreamError(.cancelled, "the application has gone"))
                    }
                }
                context.attempt.upstream = nil
                images.append(dataURL(image))
                room = max(0, room - (images.last?.count ?? 0))
            } catch {
                context.attempt.upstream = nil
                if context.exchange.isAbandoned { throw .gone }
                throw Rejection(
                    .caller, 400, code: "invalid_image_url",
                    "The image \(text.prefix(200)) could not be fetched: \(error.detail).",
                    param: "messages")
            }
            if context.exchange.isAbandoned { throw .gone }
        }
        return try rewritten(body, images, tape)
    }

    private static func urls(_ root: JSONValue, _ policy: MediaPolicy) throws(Rejection) -> [(String, WebURL)] {
        var found: [(String, WebURL)] = []
        var isMalformed = false
        forEachURL(root) { value in
            let text = value.string ?? ""
            if let url = WebURL(text.utf8Span.span) { found.append((text, url)) } else { isMalformed = true }
        }
        if isMalformed || found.count > policy.countMax {
            throw Rejection(
                .caller, 400, code: "invalid_image_url",
                isMalformed
                    ? "An image's URL is neither data: nor a plain http or https URL."
                    : "The request has more than \(policy.countMax) images by URL (media.count_max).",
                param: "messages")
        }
        return found
    }

    /// Images that are not data already, in the order of the request.
    private static func forEachURL(_ root: JSONValue, _ body: (JSONValue) -> Void) {
        var messages = root.elements(of: "messages")
        while let message = messages.next() {
            var parts = message.elements(of: "content")
            while let part = parts.next() {
                let part = ChatPart(part)
                guard part.kind == .image, let url = part.imageURL, url.isString else { continue }
                if url.escapedBytes?.hasPrefixIgnoringCase("data:") == true { continue }
                body(url)
            }
        }
    }

    private static func dataURL(_ image: MediaFetcher.Image) -> ByteBuffer {
        let url = ByteBuffer(capacity: image.bytes.count / 3 * 4 + 64)
        url.append("data:" as StaticString)
        url.append(image.mediaType)
        url.append(";base64," as StaticString)
        Base64.encode(image.bytes.span, into: url)
        return url
    }

    private static func rewritten(_ body: ByteBuffer, _ images: [ByteBuffer], _ tape: JSONTape) throws(Rejection)
        -> ByteBuffer
    {
        do throws(JSONError) {
            // Others have used the tape while the images came.
            try tape.scan(body.span)
            let edited = edited(body, tape.root(over: body.span), images)
            try tape.scan(edited.span)
            return edited
        } catch {
            throw Rejection(error)
        }
    }

    private static func edited(_ body: ByteBuffer, _ root: JSONValue, _ images: [ByteBuffer]) -> ByteBuffer {
        var edits = JSONEdits()
        var next = 0
        forEachURL(root) { url in
            let image = images[next]
            edits.replace(url) { $0.string(escaped: image.span) }
            next += 1
        }
        let edited = ByteBuffer(capacity: body.count + images.reduce(0) { $0 + $1.count })
        edits.splices(over: root).append(to: edited, from: body.span)
        return edited
    }
}
