import FuzzSupport
import SluiceCore
import SluiceHTTP

/// A content type, a line feed, and a body.
func check(_ input: Input) {
    let (line, rest) = input.firstLineAndRest
    let contentType = Array(line)
    let body = Array(rest)
    guard let form = try? MultipartForm(body.span, contentType: contentType.span) else { return }
    expect(form.parts.count <= MultipartForm.partsMax, "too many parts")
    var end = 0
    for part in form.parts {
        expect(part.body.lowerBound >= end && part.body.upperBound <= body.count, "parts that overlap")
        end = part.body.upperBound
    }
    _ = form.part(named: "model")
}
