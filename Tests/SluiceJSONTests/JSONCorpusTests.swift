import Foundation
import SluiceJSON
import Testing

/// Nicolas Seriot's JSONTestSuite, in Corpus/test_parsing.
@Suite struct `JSONTestSuite` {
    @Test func `what it says must be accepted is`() throws {
        let documents = try Corpus.documents(prefix: "y_")
        #expect(documents.count == 95)
        for (name, bytes) in documents { #expect(Corpus.verdict(bytes) == "accepted", "\(name)") }
    }

    @Test func `what it says must be refused is`() throws {
        let documents = try Corpus.documents(prefix: "n_")
        #expect(documents.count == 188)
        for (name, bytes) in documents { #expect(Corpus.verdict(bytes) != "accepted", "\(name)") }
    }

    @Test func `what it leaves open is decided as documented`() throws {
        let verdicts = try Corpus.documents(prefix: "i_").map { "\($0): \(Corpus.verdict($1))" }
        #expect(verdicts.joined(separator: "\n") == Self.undecided)
    }

    /// Numbers of any size and lone surrogates in escapes are within the grammar. Other encodings than UTF-8, a byte
    /// order mark and more than 128 levels are refused.
    private static let undecided = """
        i_number_double_huge_neg_exp.json: accepted
        i_number_huge_exp.json: accepted
        i_number_neg_int_huge_exp.json: accepted
        i_number_pos_double_huge_exp.json: accepted
        i_number_real_neg_overflow.json: accepted
        i_number_real_pos_overflow.json: accepted
        i_number_real_underflow.json: accepted
        i_number_too_big_neg_int.json: accepted
        i_number_too_big_pos_int.json: accepted
        i_number_very_big_negative_int.json: accepted
        i_object_key_lone_2nd_surrogate.json: accepted
        i_string_1st_surrogate_but_2nd_missing.json: accepted
        i_string_1st_valid_surrogate_2nd_invalid.json: accepted
        i_string_UTF-16LE_with_BOM.json: a value was expected at byte 0
        i_string_UTF-8_invalid_sequence.json: a string is not valid UTF-8 at byte 7
        i_string_UTF8_surrogate_U+D800.json: a string is not valid UTF-8 at byte 2
        i_string_incomplete_surrogate_and_escape_valid.json: accepted
        i_string_incomplete_surrogate_pair.json: accepted
        i_string_incomplete_surrogates_escape_valid.json: accepted
        i_string_invalid_lonely_surrogate.json: accepted
        i_string_invalid_surrogate.json: accepted
        i_string_invalid_utf-8.json: a string is not valid UTF-8 at byte 2
        i_string_inverted_surrogates_U+1D11E.json: accepted
        i_string_iso_latin_1.json: a string is not valid UTF-8 at byte 2
        i_string_lone_second_surrogate.json: accepted
        i_string_lone_utf8_continuation_byte.json: a string is not valid UTF-8 at byte 2
        i_string_not_in_unicode_range.json: a string is not valid UTF-8 at byte 2
        i_string_overlong_sequence_2_bytes.json: a string is not valid UTF-8 at byte 2
        i_string_overlong_sequence_6_bytes.json: a string is not valid UTF-8 at byte 2
        i_string_overlong_sequence_6_bytes_null.json: a string is not valid UTF-8 at byte 2
        i_string_truncated-utf-8.json: a string is not valid UTF-8 at byte 2
        i_string_utf16BE_no_BOM.json: a value was expected at byte 0
        i_string_utf16LE_no_BOM.json: a value was expected at byte 1
        i_structure_500_nested_arrays.json: arrays and objects are nested too deeply at byte 128
        i_structure_UTF-8_BOM_empty_object.json: the document starts with a byte order mark at byte 0
        """
}

enum Corpus {
    /// The documents whose names start so, by name.
    static func documents(prefix: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus/test_parsing")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix(prefix) }
        return try names.sorted().map { ($0, [UInt8](try Data(contentsOf: folder.appending(path: $0)))) }
    }

    static func verdict(_ bytes: [UInt8]) -> String {
        do throws(JSONError) {
            try JSONTape().scan(bytes.span)
            return "accepted"
        } catch {
            return "\(error)"
        }
    }
}
