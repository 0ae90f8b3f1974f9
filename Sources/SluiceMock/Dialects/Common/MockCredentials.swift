internal import SluiceCore

/// The fixed credentials whose signatures can be checked: those of the fact sheets' vectors.
enum MockCredentials {
    static let aws = (id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    static let spark = (id: "testkey0123456789abcdef012345678", secret: "testsecret0123456789")
    static let baidu = (id: "testak00000000000000000000000000", secret: "testsk00000000000000000000000000")
    static let zhipu = (id: "testid0123456789", secret: "testsecretABC")
    static let tencent = (id: "AKIDEXAMPLE0000000000000000000000000", secret: "EXAMPLEKEY0000000000000000000000")

    /// What the end of a key says about it.
    enum Tail {
        case refused, limited, quota

        init?(_ key: Span<UInt8>) {
            switch String(decoding: key.extracting(last: 10)) {
            case "sk-refused": self = .refused
            case "sk-limited": self = .limited
            case let tail where tail.hasSuffix("sk-quota"): self = .quota
            default: return nil
            }
        }
    }

    /// How long a key waits that has reached its limit, in milliseconds.
    static let limitedWait = 20_000

    /// How far a signature's time may be from the mock's, in seconds.
    static let skewMax = 300

    /// For `sluice mock --help`.
    static let help = """
        Credentials
          Any key is taken (or the one of --api-key), but one that ends in sk-refused, which is refused, one that ends in
          sk-quota, which has no quota left, and one that ends in sk-limited, which always is at its limit. Signatures are
          checked against these:
            bedrock        access key \(aws.id), secret \(aws.secret)
            spark-ws       APIKey \(spark.id), APISecret \(spark.secret)
            baidu-v1       any client id and secret for a token; signed: \(baidu.id), \(baidu.secret)
            zhipu          \(zhipu.id).\(zhipu.secret), as it is or as a JWT
            hunyuan-native SecretId \(tencent.id), SecretKey \(tencent.secret)
            vertex         GET /vertex/service-account.json gives a service account with its private key
            azure          any client id and secret at POST /azure/TENANT/oauth2/v2.0/token
        """
}
