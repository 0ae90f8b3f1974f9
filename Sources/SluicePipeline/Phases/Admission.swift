internal import SluiceHTTP

/// Lets a request in, or sheds it while that is still cheap.
enum Admission {
    static func admit(_ context: RequestContext, _ gauge: LoadGauge, inFlight: Int) throws(Rejection) {
        if gauge.pressure >= .refuseRequests {
            throw Rejection(
                .gateway, 503, type: "api_error", code: "out_of_memory",
                "Sluice is short of memory and takes no requests for the moment.", isRetryable: true)
        }
        if inFlight > context.snapshot.limits.inFlightMax {
            throw Rejection(
                .gateway, 503, type: "api_error", code: "too_many_requests_in_flight",
                "\(context.snapshot.limits.inFlightMax) requests are under way already (limits.in_flight_max).",
                isRetryable: true)
        }
    }
}
