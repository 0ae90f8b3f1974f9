import SluiceCore
import Testing

@testable import SluiceConfig

@Suite struct `Redis in the configuration` {
    @Test(arguments: [
        ("redis://host", "host:6379", false, nil, nil, nil), ("rediss://h:1/", "h:1", true, nil, nil, nil),
        ("redis://[::1]:7/15", "[::1]:7", false, nil, nil, 15),
        ("redis://:p%40ss@10.0.0.7", "10.0.0.7:6379", false, nil, "p@ss", nil),
        ("redis://us%2Fer:a:b@h/0", "h:6379", false, "us/er", "a:b", 0),
        ("unix:/run/redis.sock", "unix:/run/redis.sock", false, nil, nil, nil),
        ("unix:///run/redis.sock", "unix:/run/redis.sock", false, nil, nil, nil),
    ])
    func `a URL says all of one server`(
        text: String, server: String, isTLS: Bool, username: String?, password: String?, database: Int?
    ) throws {
        let url = try #require(RedisURL(text))
        #expect("\(url.server)" == server)
        #expect(url.isTLS == isTLS)
        #expect(url.username == username)
        #expect(url.password?.exposedText == password)
        #expect(url.database == database)
    }

    @Test(arguments: [
        "", "redis:", "redis://", "redis:///0", "http://host", "redis://host:0", "redis://host:65536", "redis://host/x",
        "redis://host/-1", "redis://host/70000", "redis://user@host", "redis://user:@host", "redis://:p%4@host",
        "redis://:p%zz@host", "redis://a b", "unix:", "unix:run/redis.sock", "redis://host?db=1", "host:6379",
    ])
    func `what is no such URL is refused`(text: String) { #expect(RedisURL(text) == nil) }

    @Test func `without the section there is none, and null says so too`() throws {
        for text in ["{}", "{redis: null}"] {
            let outcome = try ServerConfiguration.load(
                text: Array(text.utf8), environment: .fixed(variables: [:], files: [:]))
            #expect(outcome.value.redis == nil)
        }
    }

    @Test func `a URL may come from a variable`() throws {
        let outcome = try ServerConfiguration.load(
            text: Array("{redis: {url: 'env:REDIS_URL'}}".utf8),
            environment: .fixed(variables: ["REDIS_URL": "rediss://:x@redis:6380/3"], files: [:]))
        let redis = try #require(outcome.value.redis)
        #expect(redis.servers == .single(.host("redis", port: 6380)))
        #expect(redis.password?.exposedText == "x")
        #expect(redis.database == 3)
        #expect(redis.tls == UpstreamTLSSettings())
    }
}
