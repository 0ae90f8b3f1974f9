import SluiceConfig
import SluiceCore
import Testing

@Suite struct `A configuration section` {
    enum Flavour: String, CaseIterable { case sweet, sour, salty }

    /// Reads `text` with `body` and returns the errors, one a line; empty if there are none.
    static func errors(
        _ text: String, _ environment: ConfigEnvironment = .fixed(), _ body: (ConfigSection) -> Void
    ) -> String {
        do {
            _ = try ConfigReader.read(text: Array(text.utf8), environment: environment, body)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `gives what is written, and its defaults for what is not`() throws {
        let text =
            "{name: 'x', count: 0x10, wait_ms: 1500, on: true, taste: 'sour', share: 1, tags: 'one', sub: {n: 2}}"
        let outcome = try ConfigReader.read(text: Array(text.utf8), environment: .fixed()) { section in
            #expect(section.string("name", default: "d", doc: "") == "x")
            #expect(section.integer("count", default: 1, in: 0...20, doc: "") == 16)
            #expect(section.duration("wait_ms", default: .zero, in: 0...2000, doc: "") == .milliseconds(1500))
            #expect(section.boolean("on", default: false, doc: ""))
            #expect(section.choice("taste", default: Flavour.salty, doc: "") == .sour)
            #expect(section.number("share", default: 0.5, in: 0...1, doc: "") == 1)
            #expect(section.strings("tags", doc: "") == ["one"])
            #expect(section.section("sub", doc: "") { $0.integer("n", default: 1, in: 0...9, doc: "") } == 2)
            #expect(section.duration("idle_ms", default: .seconds(3), in: 0...9000, doc: "") == .seconds(3))
            #expect(section.optionalString("note", doc: "") == nil)
            #expect(section.optionalSection("tls", doc: "") { $0.boolean("b", default: true, doc: "") } == nil)
            #expect(
                section.list("more", countWhenAbsent: 1, doc: "") { $0.integer("n", default: 7, in: 0...9, doc: "") }
                    == [7])
            #expect(section.dictionary("by_name", names: .identifier, doc: "") { name, _ in name } == [])
        }
        #expect(
            outcome.effective.json() == """
                {
                  "name": "x",
                  "count": 16,
                  "wait_ms": 1500,
                  "on": true,
                  "taste": "sour",
                  "share": 1,
                  "tags": "one",
                  "sub": {
                    "n": 2
                  },
                  "idle_ms": 3000,
                  "note": null,
                  "tls": null,
                  "more": [
                    {
                      "n": 7
                    }
                  ],
                  "by_name": {}
                }
                """)
    }

    @Test func `reports every mistake with its path, its line, what is allowed and what was found`() {
        let text = """
            {
              clusters: [{}, {}, {
                pool: { idle_ms: -5, conections: 3 },
              }],
              name: '', flag: 'yes', taste: 'bitter',
              urls: ['http://ok', 'ftp://x'], count: 1.5,
              "strange key": 1, named: { 'a b': {n: 10}, c: 4 },
              secret: 7, tls: [],
            }
            """
        let found = Self.errors(text) { section in
            _ = section.list("clusters", doc: "") { cluster in
                cluster.section("pool", doc: "") { pool in
                    _ = pool.duration("idle_ms", default: .zero, in: 0...3_600_000, doc: "")
                    _ = pool.integer("connections", default: 1, in: 1...9, doc: "")
                }
            }
            _ = section.string("name", default: "x", bytes: 1...8, doc: "")
            _ = section.boolean("flag", default: true, doc: "")
            _ = section.choice("taste", default: Flavour.sweet, doc: "")
            _ = section.values("urls", .url(), doc: "")
            _ = section.integer("count", default: 1, in: 1...9, doc: "")
            _ = section.dictionary("named", names: .identifier, doc: "") {
                $1.integer("n", default: 1, in: 1...9, doc: "")
            }
            _ = section.secret("secret", doc: "")
            _ = section.requiredString("must", doc: "")
            _ = section.optionalSection("tls", doc: "") { $0.file("certificate_file", doc: "") }
        }
        #expect(
            found == """
                must (line 1): required: a string of 1 to 4096 bytes without control characters
                clusters[2].pool.idle_ms (line 3): 0 to 3600000, found -5
                clusters[2].pool.conections (line 3): unknown key, did you mean "connections"? allowed: connections, idle_ms
                name (line 5): a string of 1 to 8 bytes without control characters, found ""
                flag (line 5): true or false, found "yes"
                taste (line 5): sweet, sour or salty, found "bitter"
                urls[1] (line 6): a URL whose scheme is http or https
                count (line 6): 1 to 9, found 1.5
                ["strange key"] (line 7): unknown key; allowed: clusters, count, flag, must, name, named, secret, taste, tls, urls
                named["a b"] (line 7): a name of 1 to 64 letters, digits, ".", "_" and "-"
                named["a b"].n (line 7): 1 to 9, found 10
                named.c (line 7): an object, found a number
                secret (line 8): a string, "file:/path" or "env:NAME", found a number
                tls (line 8): an object, found a list
                """)
    }

    @Test func `says what is wrong with a value in itself, or with how two values go together`() {
        let found = Self.errors("{low: 5, high: 3, bad: 'x'}") { section in
            let low = section.integer("low", default: 0, in: 0...9, doc: "")
            let high = section.integer("high", default: 9, in: 0...9, doc: "")
            if low > high { section.mistake("high", "at least low (\(low)), found \(high)") }
            _ = section.integer("bad", default: 0, in: 0...9, doc: "")
            section.mistake("bad", "a second mistake in one value is not reported")
            section.mistake("one of two must be given")
        }
        #expect(
            found == """
                1:1: one of two must be given
                high (line 1): at least low (5), found 3
                bad (line 1): 0 to 9, found "x"
                """)
    }

    @Test func `stops listing mistakes after a hundred`() {
        let keys = (0..<150).map { "k\($0): 1" }.joined(separator: ", ")
        let lines = Self.errors("{\(keys)}") { _ in }.split(separator: "\n")
        #expect(lines.count == 101)
        #expect(lines.last == "and 50 more")
    }

    @Test func `that reads a key twice is a broken programme`() async {
        await #expect(processExitsWith: .failure) {
            _ = try? ConfigReader.read(text: Array("{}".utf8), environment: .fixed()) { section in
                _ = section.boolean("a", default: true, doc: "") && section.boolean("a", default: true, doc: "")
            }
        }
    }

    @Test func `takes values of variables, in strings and where a number or a truth value is wanted`() throws {
        let environment = ConfigEnvironment.fixed(variables: [
            "HOST": "h", "EMPTY": "", "N": "4", "B": "true", "F": "file:/x",
        ])
        let text = """
            {a: '${HOST}:1', b: '${NONE:-d}${EMPTY:-e}', c: '$${HOST} $5 $$', n: '${N}', f: '${N}.5', b2: '${B}',
             e: '[${EMPTY}]', s: '${F}', x: 'env:HOST'}
            """
        let outcome = try ConfigReader.read(text: Array(text.utf8), environment: environment) { section in
            #expect(section.string("a", default: "", doc: "") == "h:1")
            #expect(section.string("b", default: "", doc: "") == "de")
            #expect(section.string("c", default: "", doc: "") == "${HOST} $5 $$")
            #expect(section.integer("n", default: 0, in: 0...9, doc: "") == 4)
            #expect(section.number("f", default: 0, in: 0...9, doc: "") == 4.5)
            #expect(section.boolean("b2", default: false, doc: ""))
            #expect(section.string("e", default: "", doc: "") == "[]")
            #expect(section.secret("s", doc: "").exposedText == "file:/x", "what a variable holds is not interpreted")
            #expect(section.secret("x", doc: "").exposedText == "h")
        }
        #expect(
            outcome.effective["a"] == ConfigValue(.string("${HOST}:1")),
            "the effective configuration shows no variable's value")
    }

    @Test(arguments: [
        ("'${NONE}'", "the environment variable NONE is not set; set it, or write ${NONE:-default}"),
        ("'${HOST'", #"a "${" that is not ${NAME} or ${NAME:-default}; "$${" stands for "${" itself"#),
        ("'${1A}'", #"a "${" that is not ${NAME} or ${NAME:-default}; "$${" stands for "${" itself"#),
        ("'${A-b}'", #"a "${" that is not ${NAME} or ${NAME:-default}; "$${" stands for "${" itself"#),
        ("'${}'", #"a "${" that is not ${NAME} or ${NAME:-default}; "$${" stands for "${" itself"#),
    ])
    func `names the variable that is missing`(value: String, message: String) {
        let found = Self.errors("{\n a: \(value)}", .fixed(variables: ["HOST": "h"])) {
            _ = $0.string("a", default: "", doc: "")
        }
        #expect(found == "a (line 2): " + message)
    }

    @Test func `reads secrets from files, without the line end, and names the files to watch`() throws {
        let files: [String: [UInt8]] = [
            "/k": Array("one\n".utf8), "/w": Array("two\r\n".utf8), "/n": Array("a\n\n".utf8),
        ]
        let environment = ConfigEnvironment.fixed(variables: ["DIR": ""], files: files)
        let text = Array("{a: ['file:/k', 'file:${DIR}/w'], b: 'file:/n', c: '/k'}".utf8)
        let outcome = try ConfigReader.read(text: text, environment: environment) { section in
            #expect(section.values("a", .secret(), doc: "").map(\.exposedText) == ["one", "two"])
            #expect(section.secret("b", doc: "").exposedText == "a\n")
            #expect(section.file("c", doc: "") == "/k")
        }
        #expect(outcome.files == ["/k", "/w", "/n"])
        #expect(
            outcome.effective["a"]
                == ConfigValue(.list([ConfigValue(.string("<secret>")), ConfigValue(.string("<secret>"))])))
    }

    @Test(arguments: [
        ("'file:/none'", #""/none": there is no such file"#), ("'file:'", #""file:" without a path"#),
        ("'file:/large'", #""/large": the file is larger than 65536 bytes"#), ("'file:/empty'", "the secret is empty"),
        ("''", "the secret is empty"), ("'env:NONE'", #"the environment variable "NONE" is not set"#),
        ("['x']", #"a string, "file:/path" or "env:NAME", found a list"#),
    ])
    func `says why a secret cannot be had`(value: String, message: String) {
        let environment = ConfigEnvironment.fixed(
            files: ["/large": Array(repeating: 65, count: 65537), "/empty": [10]])
        #expect(Self.errors("{k: \(value)}", environment) { _ = $0.secret("k", doc: "") } == "k (line 1): " + message)
    }

    @Test func `is described by the code that reads it`() {
        let reference = ConfigReference.describe { section in
            _ = section.duration("idle_ms", default: .seconds(60), in: 0...3_600_000, doc: "How long | it may rest.")
            _ = section.choice("taste", default: Flavour.sour, doc: "Its taste.")
            _ = section.dictionary("named", names: .identifier, doc: "By name.") { _, sub in
                _ = sub.secret("key", doc: "A key.")
                _ = sub.list("parts", doc: "Parts.") { $0.optionalURL("url", doc: "Where.") }
            }
            section.mistake("idle_ms", "nothing is wrong while describing")
        }
        #expect(
            reference.markdown() == #"""
                ## Top level

                | key | type | default | allowed | meaning |
                | --- | --- | --- | --- | --- |
                | `idle_ms` | duration in ms | `60000` | 0 to 3600000 | How long \| it may rest. |
                | `taste` | choice | `"sour"` | sweet, sour or salty | Its taste. |
                | `named` | objects by name |  | a name of 1 to 64 letters, digits, ".", "_" and "-" | By name. |

                ## `named.<name>`

                By name.

                | key | type | default | allowed | meaning |
                | --- | --- | --- | --- | --- |
                | `key` | secret | required | a string, "file:/path" or "env:NAME" | A key. |
                | `parts` | list of objects |  | 0 to 1000 entries | Parts. |

                ## `named.<name>.parts[]`

                Parts.

                | key | type | default | allowed | meaning |
                | --- | --- | --- | --- | --- |
                | `url` | URL | `null` | an http or https URL without user, query and fragment, or null | Where. |

                """#)
    }
}
