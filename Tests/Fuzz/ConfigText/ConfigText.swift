import FuzzSupport
import SluiceConfig

/// JSON5 read and written as JSON, and a configuration read with everything that checks it.
func check(_ input: Input) {
    guard let value = try? SluiceConfig.ConfigText.parse(input.bytes) else { return }
    let text = value.json()
    do {
        let again = try SluiceConfig.ConfigText.parse(Array(text.utf8))
        expect(again.json() == text, "written twice, different")
    } catch {
        fatalError("written, not read: \(error): \(text)")
    }
    let environment = ConfigEnvironment.fixed(variables: ["OPENAI_API_KEY": "sk-fuzz-hush", "NAME": "value"])
    do {
        _ = try ServerConfiguration.load(text: input.bytes, environment: environment).effective.json()
    } catch {
        expect(!"\(error)".isEmpty, "a mistake without words")
    }
}
