/// iFlytek's numeric codes, of its HTTP form and its WebSocket form alike.
enum SparkCodes {
    static func code(_ failure: DialectFailure) -> Int {
        switch failure.kind {
        case .rateLimit: 11202
        case .quota: 11200
        case .forbidden: 10016
        case .noModel: 10404
        case .contextLength: 10907
        case .promptRefused: 10013
        case .overloaded: 10110
        case .server: 10012
        case .timeout: 10222
        case .noKey, .wrongKey, .expiredKey: 11200
        default: failure.code.flatMap { Int($0) } ?? 10004
        }
    }
}
