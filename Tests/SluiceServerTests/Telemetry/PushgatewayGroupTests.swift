import SluiceCore
internal import SluiceHTTP
import Testing

@testable import SluiceServer

/// The examples of the Pushgateway's README, "API".
@Suite struct `A Pushgateway's group` {
    private func target(_ labels: [(name: String, value: String)]) -> String { PushgatewayGroup(labels).target }

    @Test func `is named by the path`() {
        #expect(target([("job", "some_job"), ("instance", "some_instance")]) == "/metrics/job/some_job/instance/some_instance")
        #expect(target([("job", "a b"), ("instance", "pod-1:4010")]) == "/metrics/job/a%20b/instance/pod-1%3A4010")
        #expect(target([("job", "titan"), ("name", "Προμηθεύς")])
            == "/metrics/job/titan/name/%CE%A0%CF%81%CE%BF%CE%BC%CE%B7%CE%B8%CE%B5%CF%8D%CF%82")
    }

    /// Padding may be left out.
    @Test func `is in base64 where a path cannot say it`() {
        #expect(target([("job", "directory_cleaner"), ("path", "/var/tmp")]) == "/metrics/job/directory_cleaner/path@base64/L3Zhci90bXA")
        #expect(target([("job", "example"), ("first_label", ""), ("second_label", "foobar")])
            == "/metrics/job/example/first_label@base64/=/second_label/foobar")
        #expect(target([("job", "a/b")]) == "/metrics/job@base64/YS9i")
        #expect(target([("job", "x"), ("instance", "..")]) == "/metrics/job/x/instance@base64/Li4")
        // What base64 has in two spellings: here the one for URLs.
        #expect(target([("job", "???/>>>")]) == "/metrics/job@base64/Pz8_Lz4-Pg")
    }

    @Test func `has labels to which those of metrics give way`() {
        var collection = MetricCollection()
        let family = MetricFamily("m", .counter, labels: ["zone", "exported_zone", "model"], help: "Of m.")
        collection.add(family, ["a", "b", "c"], 1)
        collection.add(MetricFamily("other", .gauge, labels: ["model"], help: "."), ["c"], 2)
        let message = PushgatewayGroup([("job", "j"), ("zone", "z")]).replacement(collection)
        let text = String(decoding: message.body, as: UTF8.self)
        #expect(text.contains(#"m_total{exported_exported_zone="a",exported_zone="b",model="c"} 1"#))
        #expect(text.contains(#"other{model="c"} 2"#))
        #expect(message.method == .put && message.itemCount == 2 && message.replacesEarlier)
        #expect(message.contentType?.description == "text/plain; version=0.0.4; charset=utf-8")
    }

    @Test func `is deleted by its path alone`() {
        let message = PushgatewayGroup([("job", "j"), ("instance", "i")]).deletion
        #expect(message.method == .delete && message.body.isEmpty && message.target == "/metrics/job/j/instance/i")
    }
}
