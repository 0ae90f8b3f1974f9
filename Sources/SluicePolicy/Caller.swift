/// Who asks, as far as policies want to know.
///
/// What an application says of itself is a claim: it chooses a limit's bucket or a route, and proves nothing.
package struct Caller: Hashable, Sendable {
    package var user: String?
    package var role: String?
    package var team: String?
    package var businessLine: String?
    /// The first 16 hex digits of the SHA-256 of the credential that the application showed: never the credential.
    package var key: String?
    /// The address that the request came from, without its port.
    package var address = ""

    package init() {}
}
