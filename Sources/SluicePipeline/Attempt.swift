package import SluiceCore
package import SluiceHTTP
package import SluicePolicy
package import SluiceProviders
package import SluiceUpstream

/// Everything that belongs to one try at one target. Another try begins with another value: no field, credential or state of one
/// gets into the next, or to the application (theme 3.18).
package struct Attempt {
    package var provider: Provider?
    /// As the provider spells it.
    package var upstreamModel = ""
    /// What the process knows of the target.
    package var target: TargetState?
    /// Its place among those that the provider may have at one time.
    package var slot: GateSlot?
    /// Which of the provider's keys the attempt shows; `nil` for none.
    package var key: Int?
    /// Which of the key's tokens it shows, where those are exchanged for keys.
    package var tokenRenewals = 0
    /// The provider speaks another dialect than the application.
    package var translation: Translation?
    /// What writes the reply, where that is a stream of responses events that a provider does not send itself.
    var responsesWriter: ResponsesStreamWriter?
    /// What of the request got lost or was changed on the way.
    package var report = FieldReport()
    /// The tool whose arguments are the answer: it was forced for the sake of its schema.
    package var answerTool: String?
    package var upstream: UpstreamExchange?
    package var upstreamStatus: Status?
    package var upstreamRequestID: String?
    /// What the provider reported in place of an answer, or within one.
    package var fault: ProviderFault?
    package var usage: Usage?
    /// When the request was handed to the upstream connection, and when the response's head had come.
    package var sentUpstreamAt: Instant?
    package var headAt: Instant?

    package init() {}
}
