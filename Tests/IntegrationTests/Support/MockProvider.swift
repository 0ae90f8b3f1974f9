import Foundation

/// `sluice mock` as a provider of a configuration, and how often it was asked.
extension MockProcess {
    /// The mock under this name; what it does is said by the model.
    func provider(_ name: String, key: String = Secrets.provider, _ members: String = "") -> String {
        #""\#(name)": {base_url: "http://127.0.0.1:\#(port)/v1", api_key: "\#(key)", \#(members)}"#
    }

    struct Counts: Equatable {
        var attempts = 0
        var answered = 0
        var cancelled = 0
    }

    /// What a model saw since the last reset.
    func counts(_ model: String) throws -> Counts {
        let wire = try Wire(port: port)
        try wire.send("GET /mock/counts HTTP/1.1\r\nhost: localhost\r\n\r\n")
        let found = try wire.readResponse().json["models"][model]
        return Counts(
            attempts: found["attempts"].int ?? 0, answered: found["answered"].int ?? 0,
            cancelled: found["cancelled"].int ?? 0)
    }

    func reset() throws {
        let wire = try Wire(port: port)
        try wire.send("POST /mock/reset HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n")
        _ = try wire.readResponse()
    }
}

/// Asks again and again until it is so.
func awaitTrue(_ what: String, _ isTrue: () throws -> Bool) throws {
    let deadline = Patience.deadline
    while try !isTrue() {
        if .now > deadline { throw TimedOut(what) }
        usleep(5000)
    }
}
