import SluiceConfig
import SluiceCore
import Testing

@testable import SluiceServer

@Suite struct `What a receiver repeats` {
    private func receiver(_ change: (inout TelemetryReceiverConfiguration) -> Void) throws -> TelemetryReceiver {
        var configuration = TelemetryReceiverConfiguration()
        change(&configuration)
        return try TelemetryReceiver(configuration, at: "metrics.push[0]")
    }

    @Test(arguments: [
        ("who is ada?", false), ("", false), ("wrong password: open-sesame", true), ("Basic YWRhOm9wZW4tc2VzYW1l", true),
        (#"{"credentials": "YWRhOm9wZW4tc2VzYW1l"}"#, true), ("Basic ", false),
    ])
    func `is a secret if it is the password, or the pair as it was sent`(text: String, isSecret: Bool) throws {
        let receiver = try receiver { $0.credentials = .basic(user: "ada", password: Secret("open-sesame")) }
        #expect(receiver.isSecret(in: text.utf8Span.span) == isSecret)
    }

    @Test(arguments: [("no such token: tok-1", true), ("tenant-7 is unknown", true), ("Bearer", false)])
    func `is a secret if it is a token, or the value of a field`(text: String, isSecret: Bool) throws {
        let receiver = try receiver {
            $0.credentials = .bearer(Secret("tok-1"))
            $0.headers = [Named("x-scope-orgid", Secret("tenant-7"))]
        }
        #expect(receiver.isSecret(in: text.utf8Span.span) == isSecret)
    }
}
