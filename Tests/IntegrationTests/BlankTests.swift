import Foundation
import Testing

/// White space around a request, as files and scripts send it.
@Suite struct `Blanks around a request` {
    private static let normalised = #"adapter: "mistral", "#

    @Test(arguments: [normalised, #"adapter: "deepseek", "#, #"dialect: "gemini", "#, #"dialect: "anthropic", "#, ""])
    func `belong to it and change nothing`(members: String) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(
                #"{"error":{"message":"enough","type":"invalid_request_error","code":"x"}}"#, status: "400 Bad Request")
        }
        try withSluice(Configuration(upstream, members), upstream) { sluice in
            let body =
                #"{"model":"mock/m","seed":1,"stream":true,"messages":[{"role":"developer","content":"a"},{"role":"user","content":"b"}]}"#
            for text in [body, body + "\n", "\n \t\(body)", "\r\n \(body) \r\n"] {
                let reply = try sluice.chat(text)
                #expect(reply.status == 400 && reply.text.contains("enough"), "\(reply.text)")
            }
            let sent = upstream.requests.all.map(\.json)
            #expect(sent.count == 4 && sent.allSatisfy { $0.value != nil })
        }
    }
}
