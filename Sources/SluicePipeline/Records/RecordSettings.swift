/// What is noted of exchanges while they are under way, so that it can be recorded when they are over.
package struct RecordSettings: Sendable, Equatable {
    /// The request's parameters, without its texts.
    package var keepsParameters = true
    /// What goes in and what comes out.
    package var keepsBodies = false
    /// Of each of them; the rest is cut off.
    package var bodyByteCountMax = 65_536

    package init() {}
}
