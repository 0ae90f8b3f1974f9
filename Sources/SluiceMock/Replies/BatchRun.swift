internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// Answers all lines of a batch's input file, at once.
struct BatchRun {
    let store: ObjectStore
    let behaviour: Behaviour

    /// How many lines a batch may have.
    private static let linesMax = 10_000
    /// Output of one batch, in bytes.
    private static let outputByteCountMax = 64 << 20

    /// One answered line.
    fileprivate struct Line {
        let customID: String
        let status: Status
        let body: ByteBuffer
    }

    func complete(_ batch: inout StoredBatch) {
        guard let input = store.file(batch.inputFileID) else { return fail(&batch, "The input file is gone.") }
        let output = ByteBuffer(capacity: 4096)
        let errors = ByteBuffer(capacity: 256)
        let tape = JSONTape()
        var number = 0
        for bytes in input.bytes.split(separator: ASCII.lineFeed) {
            number += 1
            let id = ReplyIdentity(
                number: batch.number &* 1_000_000 &+ number, seed: behaviour.seed, created: batch.created, model: "")
            guard number <= Self.linesMax, output.count < Self.outputByteCountMax,
                let line = answer(bytes, tape, id)
            else {
                return fail(
                    &batch,
                    "Line \(number) cannot be used: it is no JSON object with custom_id and body, or one too many.")
            }
            let isSuccess = line.status.isSuccess
            if isSuccess { batch.completedCount += 1 } else { batch.failedCount += 1 }
            write(line, id.hex, to: isSuccess ? output : errors)
        }
        batch.outputFileID = keep(output, batch, "output")
        batch.errorFileID = keep(errors, batch, "error")
        batch.status = .completed
    }

    private func fail(_ batch: inout StoredBatch, _ reason: String) {
        batch.completedCount = 0
        batch.failedCount = 0
        batch.status = .failed
        batch.mistake = reason
    }

    /// - Returns: `nil` if it is no line of a batch.
    private func answer(_ bytes: ArraySlice<UInt8>, _ tape: JSONTape, _ identity: ReplyIdentity) -> Line? {
        guard (try? tape.scan(bytes.span)) != nil else { return nil }
        let root = tape.root(over: bytes.span)
        guard let customID = root["custom_id"]?.string, let body = root["body"], body.isObject else { return nil }
        guard let model = body["model"]?.string else { return Line(customID: customID, .missing("model")) }
        guard let endpoint = Endpoint(batched: root["url"]?.string ?? "") else {
            return Line(customID: customID, .invalidValue("url", "the endpoint cannot be used in a batch"))
        }
        do throws(APIError) {
            var wanted: Behaviour
            do throws(BehaviourMistake) {
                wanted = try BehaviourGrammar.model(model, over: behaviour)
            } catch {
                throw .behaviour(error)
            }
            wanted.defects = []
            let named = ReplyIdentity(hex: identity.hex, created: identity.created, model: model)
            if let reply = FaultReplies.reply(for: wanted, model: model) { return Line(customID: customID, reply) }
            return Line(customID: customID, try Answers.reply(endpoint, body, named, wanted, store))
        } catch {
            return Line(customID: customID, error)
        }
    }

    private func write(_ line: Line, _ hex: String, to buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.member("id", "batch_req_\(hex)")
            json.member("custom_id", line.customID)
            json.key("response")
            json.object { json in
                json.member("status_code", Int(line.status.code))
                json.member("request_id", "req_\(hex)")
                json.key("body")
                json.raw(line.body.span)
            }
            json.nullMember("error")
        }
        buffer.append(ASCII.lineFeed)
    }

    private func keep(_ output: ByteBuffer, _ batch: StoredBatch, _ kind: String) -> String? {
        if output.isEmpty { return nil }
        let id = "file-\(batch.id.dropFirst(6))-\(kind)"
        let file = store.add(
            file: Array(copying: output.span), id: id, filename: "\(batch.id)_\(kind).jsonl", purpose: "batch_output",
            lifetime: nil)
        return file?.id
    }
}

extension BatchRun.Line {
    fileprivate init(customID: String, _ error: APIError) { self.init(customID: customID, Reply(error)) }

    /// A stream has no place in a batch: it is refused.
    fileprivate init(customID: String, _ reply: Reply) {
        self.customID = customID
        switch reply.body {
        case .whole(let body):
            status = reply.status
            self.body = body
        case .script:
            let error = APIError.invalidValue("stream", "a request of a batch cannot be streamed")
            status = error.status
            body = ByteBuffer(capacity: 256)
            error.write(to: body)
        }
    }
}
