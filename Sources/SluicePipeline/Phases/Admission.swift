internal import SluiceHTTP
internal import SluicePolicy

/// Lets a request in, or sheds it while that is still cheap.
enum Admission {
    static func admit(_ context: RequestContext, _ gauge: LoadGauge, inFlight: Int) throws(Rejection) {
        let limit = context.snapshot.limits.inFlightMax
        let pressure = gauge.pressure
        if pressure >= .refuseRequests { throw outOfMemory }
        if let priorities = context.snapshot.concurrency?.priorities, !priorities.isEmpty,
            pressure >= .drain || inFlight > limit * priorities.inFlightPercentMin / 100
        {
            try shedLowest(context, gauge, priorities, inFlight: inFlight)
        }
        if inFlight > limit { throw tooMany("\(limit) requests are under way already (limits.in_flight_max).") }
    }

    /// Room is getting short: the lower a class, the sooner it has to go without. What the body says of the caller is not known yet.
    private static func shedLowest(
        _ context: RequestContext, _ gauge: LoadGauge, _ priorities: PriorityClasses, inFlight: Int
    ) throws(Rejection) {
        if priorities.asksWhoCalls { Identification.identify(context) }
        let rank = Queueing.rank(context, priorities)
        context.rank = rank
        if gauge.pressure >= .drain, rank > priorities.usual {
            gauge.noteShed(rank: rank)
            throw outOfMemory
        }
        let limit = priorities.inFlightMax(rank: rank, of: context.snapshot.limits.inFlightMax)
        if inFlight > limit {
            gauge.noteShed(rank: rank)
            throw tooMany("\(limit) requests are under way already: no more of this priority are taken for the moment.")
        }
    }

    private static var outOfMemory: Rejection {
        Rejection(
            .gateway, 503, type: "api_error", code: "out_of_memory",
            "Sluice is short of memory and takes no requests for the moment.", isRetryable: true)
    }

    private static func tooMany(_ message: String) -> Rejection {
        Rejection(
            .gateway, 503, type: "api_error", code: "too_many_requests_in_flight", message, isRetryable: true)
    }
}
