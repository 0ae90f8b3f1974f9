import Foundation
import Testing

@testable import SluiceMock

@Suite struct `Files, uploads, batches and responses` {
    private static func form(_ parts: [(head: String, body: String)]) -> String {
        parts.map { "--B\r\nContent-Disposition: form-data; \($0.head)\r\n\r\n\($0.body)\r\n" }.joined() + "--B--\r\n"
    }

    private static let formType = "multipart/form-data; boundary=B"

    private static func upload(_ mock: TestMock, _ content: String, purpose: String = "batch") throws -> JSONThing {
        let body = form([(#"name="purpose""#, purpose), (#"name="file"; filename="in.jsonl""#, content)])
        return try JSONThing(mock.exchange("POST", "/v1/files", body, type: formType).body)
    }

    @Test func `a file is kept until it is deleted`() throws {
        let mock = try TestMock()
        let file = try Self.upload(mock, "hello")
        let id = try #require(file["id"]?.string)
        #expect(file["bytes"]?.int == 5 && file["filename"]?.string == "in.jsonl" && file["purpose"]?.string == "batch")
        #expect(try mock.get("/v1/files/\(id)")["id"]?.string == id)
        #expect(try mock.exchange("GET", "/v1/files/\(id)/content").body == "hello")
        #expect(try mock.exchange("DELETE", "/v1/files/\(id)").body.contains(#""deleted":true"#))
        #expect(try mock.exchange("GET", "/v1/files/\(id)").status == 404)
    }

    @Test func `files are listed by page, newest first`() throws {
        let mock = try TestMock()
        let ids = try (0..<3).compactMap { try Self.upload(mock, "\($0)")["id"]?.string }
        _ = try Self.upload(mock, "x", purpose: "vision")
        let first = try mock.get("/v1/files?purpose=batch&limit=2")
        #expect(first["data"]?.elements.map { $0["id"]?.string } == [ids[2], ids[1]])
        #expect(first["has_more"]?.bool == true)
        let second = try mock.get("/v1/files?purpose=batch&limit=2&after=\(ids[1])")
        #expect(second["data"]?.elements.map { $0["id"]?.string } == [ids[0]] && second["has_more"]?.bool == false)
        #expect(try mock.get("/v1/files?order=asc")["data"]?[0]?["id"]?.string == ids[0])
    }

    @Test func `an upload becomes a file in the order of its parts`() throws {
        let mock = try TestMock()
        let upload = try mock.post(
            "/v1/uploads", #"{"filename":"a.txt","purpose":"assistants","bytes":6,"mime_type":"text/plain"}"#)
        let id = try #require(upload["id"]?.string)
        let parts = try ["def", "abc"].compactMap { text in
            try JSONThing(
                mock.exchange(
                    "POST", "/v1/uploads/\(id)/parts", Self.form([(#"name="data"; filename="p""#, text)]),
                    type: Self.formType
                )
                .body)["id"]?.string
        }
        #expect(
            try mock.exchange("POST", "/v1/uploads/\(id)/complete", #"{"part_ids":["\#(parts[0])"]}"#).status == 400)
        let done = try mock.post("/v1/uploads/\(id)/complete", #"{"part_ids":["\#(parts[1])","\#(parts[0])"]}"#)
        #expect(done["status"]?.string == "completed")
        let file = try #require(done["file"]?["id"]?.string)
        #expect(try mock.exchange("GET", "/v1/files/\(file)/content").body == "abcdef")
        #expect(
            try mock.exchange(
                "POST", "/v1/uploads/\(id)/parts", Self.form([(#"name="data""#, "x")]), type: Self.formType
            ).status == 400)
    }

    @Test func `a batch answers each line, and errors go to a file of their own`() throws {
        let mock = try TestMock()
        func line(_ id: String, _ model: String) -> String {
            #"{"custom_id":"\#(id)","method":"POST","url":"/v1/chat/completions","body":\#(TestMock.chatBody(model, content: id))}"#
        }
        let input = try Self.upload(
            mock, line("one", "m") + "\n" + line("two", "m+status=500") + "\n" + line("three", "m") + "\n")
        let batch = try mock.post(
            "/v1/batches",
            #"{"input_file_id":"\#(input["id"]?.string ?? "")","endpoint":"/v1/chat/completions","completion_window":"24h"}"#
        )
        let id = try #require(batch["id"]?.string)
        #expect(batch["status"]?.string == "validating")
        #expect(try mock.get("/v1/batches/\(id)")["status"]?.string == "in_progress")
        let done = try mock.get("/v1/batches/\(id)")
        #expect(done["status"]?.string == "completed")
        #expect(done["request_counts"]?["completed"]?.int == 2 && done["request_counts"]?["failed"]?.int == 1)
        let output = try mock.exchange("GET", "/v1/files/\(done["output_file_id"]?.string ?? "")/content").body
        let lines = try output.split(separator: "\n").map { try JSONThing(String($0)) }
        #expect(lines.map { $0["custom_id"]?.string } == ["one", "three"])
        #expect(lines[1]["response"]?["body"]?["choices"]?[0]?["message"]?["content"]?.string == "three")
        let errors = try mock.exchange("GET", "/v1/files/\(done["error_file_id"]?.string ?? "")/content").body
        #expect(errors.contains(#""custom_id":"two""#) && errors.contains(#""status_code":500"#))
    }

    @Test func `a batch of nonsense fails, and one can be cancelled`() throws {
        let mock = try TestMock()
        let input = try Self.upload(mock, "nonsense\n")["id"]?.string ?? ""
        func create() throws -> String {
            let body = #"{"input_file_id":"\#(input)","endpoint":"/v1/embeddings","completion_window":"24h"}"#
            return try #require(try mock.post("/v1/batches", body)["id"]?.string)
        }
        let id = try create()
        _ = try mock.get("/v1/batches/\(id)")
        let failed = try mock.get("/v1/batches/\(id)")
        #expect(failed["status"]?.string == "failed" && failed["errors"]?["data"]?.count == 1)
        #expect(try mock.post("/v1/batches/\(create())/cancel", "{}")["status"]?.string == "cancelled")
        #expect(try mock.get("/v1/batches")["data"]?.count == 2)
    }

    @Test func `a response is kept unless it is not to be stored`() throws {
        let mock = try TestMock()
        let id = try #require(try mock.post("/v1/responses", #"{"model":"m","input":"hi"}"#)["id"]?.string)
        #expect(try mock.get("/v1/responses/\(id)")["output"]?[0]?["content"]?[0]?["text"]?.string == "hi")
        #expect(try mock.exchange("DELETE", "/v1/responses/\(id)").status == 200)
        #expect(try mock.exchange("GET", "/v1/responses/\(id)").status == 404)
        let unstored = try mock.post("/v1/responses", #"{"model":"m","input":"hi","store":false}"#)["id"]?.string ?? ""
        #expect(try mock.exchange("GET", "/v1/responses/\(unstored)").status == 404)
    }

    @Test func `a transcript tells which file came, in every format`() throws {
        let mock = try TestMock()
        func transcribe(_ fields: [(head: String, body: String)], _ path: String = "transcriptions") throws -> RawReply
        {
            let parts = [(#"name="model""#, "m"), (#"name="file"; filename="a.wav""#, "12345")] + fields
            return try mock.exchange("POST", "/v1/audio/\(path)", Self.form(parts), type: Self.formType)
        }
        #expect(try JSONThing(transcribe([]).body)["text"]?.string == "transcript of a.wav, 5 bytes")
        #expect(try transcribe([(#"name="response_format""#, "text")]).body == "transcript of a.wav, 5 bytes\n")
        #expect(try transcribe([(#"name="response_format""#, "vtt")]).body.hasPrefix("WEBVTT\n"))
        #expect(try JSONThing(transcribe([(#"name="response_format""#, "verbose_json")]).body)["segments"]?.count == 1)
        #expect(try JSONThing(transcribe([], "translations").body)["text"]?.string == "translation of a.wav, 5 bytes")
        let stream = try transcribe([(#"name="stream""#, "true")]).body
        #expect(
            try JSONThing.payloads(stream).compactMap { $0["delta"]?.string }.joined() == "transcript of a.wav, 5 bytes"
        )
        #expect(try mock.get("/mock/counts")["models"]?["m"]?["answered"]?.int == 6)
    }

    @Test func `a picture can be edited by form`() throws {
        let mock = try TestMock()
        let parts = [(#"name="model""#, "m"), (#"name="prompt""#, "x"), (#"name="image[]"; filename="a.png""#, "png")]
        let reply = try mock.exchange("POST", "/v1/images/edits", Self.form(parts), type: Self.formType)
        #expect(try JSONThing(reply.body)["data"]?.count == 1)
        #expect(try mock.exchange("POST", "/v1/images/edits", Self.form([parts[1]]), type: Self.formType).status == 400)
    }

    @Test func `models are listed and found by name, slashes and all`() throws {
        let mock = try TestMock()
        #expect(try mock.get("/v1/models")["data"]?.elements.contains { $0["id"]?.string == "gpt-mock" } == true)
        #expect(try mock.get("/v1/models/org%2Fname")["id"]?.string == "org/name")
        #expect(try mock.get("/v1/models/org/name:free")["id"]?.string == "org/name:free")
        #expect(try mock.exchange("DELETE", "/v1/models/m").body.contains(#""deleted":true"#))
    }
}
