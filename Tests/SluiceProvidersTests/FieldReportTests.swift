import SluiceProviders
import Testing

@Suite struct `Reports of fields` {
    @Test func `commas stand between names only`() {
        var report = FieldReport()
        report.adapt("temperature: 1, the most there is")
        report.adapt("response_format: by a forced tool")
        report.lose("a,b")
        #expect(
            FieldReport.fieldValue(report.adapted)
                == "temperature: 1; the most there is, response_format: by a forced tool")
        #expect(FieldReport.fieldValue(report.lost) == "a;b" && FieldReport.fieldValue([]).isEmpty)
    }
}
