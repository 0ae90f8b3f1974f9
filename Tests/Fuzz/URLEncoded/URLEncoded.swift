import FuzzSupport
import SluiceCore
import SluiceHTTP

/// The same bytes as a form and as a query.
func check(_ input: Input) {
    if let form = try? URLEncodedForm(input.bytes.span) {
        expect(form.count <= URLEncodedForm.fieldsMax, "too many fields")
        for index in 0..<form.count {
            expect(form.name(at: index).count + form.value(at: index).count <= input.bytes.count, "longer than it came")
        }
        if let target = try? RequestTarget(Array("/v1/models?".utf8) + input.bytes) {
            expect(form.text("model") == target.parameterText("model"), "two readings of one query")
        }
    }
    _ = try? RequestTarget(Array("/".utf8) + input.bytes)
}
