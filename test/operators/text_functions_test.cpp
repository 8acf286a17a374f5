#include <catch2/catch.hpp>

#include "test/operators/expressions.h"

namespace kappa::operators {
namespace {

Value i(int32_t value) {
  return Value::integer(value);
}
Value bytes(const char* text) {
  return value_of(Type::bytea(), text);
}
const Value kNullText = Value::null(Type::text());

TEST_CASE("length counts characters, octet_length bytes") {
  CHECK(result_of("length", {"käse"_text}) == "4");
  CHECK(result_of("char_length", {"日本"_text}) == "2");
  CHECK(result_of("character_length", {""_text}) == "0");
  CHECK(result_of("octet_length", {"käse"_text}) == "5");
  CHECK(result_of("bit_length", {"käse"_text}) == "40");
  CHECK(result_of("length", {bytes("\\x00ff10")}) == "3");
  CHECK(result_of("octet_length", {bytes("\\x")}) == "0");
  CHECK(result_of("length", {kNullText}) == "NULL");
}

TEST_CASE("upper, lower and initcap map simple letters of Latin, Greek and Cyrillic") {
  CHECK(result_of("upper", {"straße 9 äöü"_text}) == "STRAßE 9 ÄÖÜ");
  CHECK(result_of("lower", {"ÄÖÜ Abc"_text}) == "äöü abc");
  CHECK(result_of("upper", {"ÿčž αβςώ привет ёџ"_text}) == "ŸČŽ ΑΒΣΏ ПРИВЕТ ЁЏ");
  CHECK(result_of("lower", {"ŸČŽ ΑΒΣΏΆΈΌ ПРИВЕТ ЁЏ"_text}) == "ÿčž αβσώάέό привет ёџ");
  CHECK(result_of("upper", {"日本 ×÷"_text}) == "日本 ×÷");
  CHECK(result_of("initcap", {"hELLO wORLD-élan x9y"_text}) == "Hello World-Élan X9y");
  CHECK(result_of("lower", {""_text}) == "");
}

TEST_CASE("malformed UTF-8 passes through text functions unharmed") {
  const Value broken = Value::text("a\xff\xc3");
  const Value dangling = Value::text("\x80\x80z");
  for (const char* name : {"upper", "lower", "initcap", "reverse"}) {
    CHECK(result_of(name, {Value::text("\xff\xc3")}).size() == 2);
  }
  CHECK(result_of("length", {broken}) == "3");
  CHECK(result_of("length", {dangling}) == "2");
  CHECK(result_of("substr", {dangling, i(2)}) == "z");
  CHECK(result_of("right", {broken, i(1)}) == "\xc3");
  CHECK(result_of("ascii", {broken}) == "97");
  CHECK(result_of("ascii", {Value::text("\xc3")}) == "65533");
  CHECK(result_of("btrim", {dangling, "z"_text}) == "\x80\x80");
}

TEST_CASE("texts are concatenated, and other types through their text") {
  CHECK(result_of("||", {"a"_text, "bc"_text}) == "abc");
  CHECK(result_of("||", {"a"_text, ""_text}) == "a");
  CHECK(result_of("||", {""_text, "b"_text}) == "b");
  CHECK(result_of("||", {"n="_text, i(5)}) == "n=5");
  CHECK(result_of("||", {Value::boolean(true), "!"_text}) == "true!");
  CHECK(result_of("||", {"a"_text, kNullText}) == "NULL");
  CHECK(result_of("||", {bytes("\\x01"), bytes("\\x02")}) == "\\x0102");
}

TEST_CASE("concat and concat_ws leave nulls out") {
  CHECK(result_of("concat", {"a"_text, kNullText, i(5)}) == "a5");
  CHECK(result_of("concat", {kNullText, kNullText}) == "");
  CHECK(result_of("concat", {value_of(Type::numeric(6, 2), "1.50"), Value::boolean(false)}) ==
        "1.50false");
  CHECK(result_of("concat_ws", {", "_text, "a"_text, kNullText, "b"_text}) == "a, b");
  CHECK(result_of("concat_ws", {", "_text, kNullText, i(1)}) == "1");
  CHECK(result_of("concat_ws", {","_text, ""_text, ""_text}) == ",");
  CHECK(result_of("concat_ws", {kNullText, "a"_text}) == "NULL");
}

TEST_CASE("substring counts from 1 and cuts at the ends") {
  CHECK(result_of("substring", {"käse"_text, i(2)}) == "äse");
  CHECK(result_of("substr", {"käse"_text, i(2), i(2)}) == "äs");
  CHECK(result_of("substring", {"abc"_text, i(-1), i(3)}) == "a");
  CHECK(result_of("substring", {"abc"_text, i(0)}) == "abc");
  CHECK(result_of("substring", {"abc"_text, i(4)}) == "");
  CHECK(result_of("substring", {"abc"_text, i(2), i(2147483647)}) == "bc");
  CHECK(result_of("substring", {"abc"_text, i(-2147483647), i(2147483647)}) == "");
  CHECK(result_of("substring", {"abc"_text, i(1), i(-1)}) ==
        "error: negative substring length not allowed");
}

TEST_CASE("left and right take characters off an end, or leave some off the other") {
  CHECK(result_of("left", {"käse"_text, i(2)}) == "kä");
  CHECK(result_of("left", {"käse"_text, i(-1)}) == "käs");
  CHECK(result_of("left", {"abc"_text, i(9)}) == "abc");
  CHECK(result_of("left", {"abc"_text, i(-9)}) == "");
  CHECK(result_of("right", {"käse"_text, i(3)}) == "äse");
  CHECK(result_of("right", {"käse"_text, i(-1)}) == "äse");
  CHECK(result_of("right", {"abc"_text, i(0)}) == "");
  CHECK(result_of("right", {"abc"_text, i(9)}) == "abc");
}

TEST_CASE("trim takes spaces, or any of the given characters, off the ends") {
  CHECK(result_of("btrim", {"  a b "_text}) == "a b");
  CHECK(result_of("trim", {"  a "_text}) == "a");
  CHECK(result_of("ltrim", {"  a "_text}) == "a ");
  CHECK(result_of("rtrim", {"  a "_text}) == "  a");
  CHECK(result_of("btrim", {"äxaäx"_text, "xä"_text}) == "a");
  CHECK(result_of("trim", {"xxx"_text, "x"_text}) == "");
  CHECK(result_of("ltrim", {"xyab"_text, "yx"_text}) == "ab");
  CHECK(result_of("rtrim", {"abxy"_text, "yx"_text}) == "ab");
  CHECK(result_of("btrim", {"\ta"_text}) == "\ta");
}

TEST_CASE("position and strpos find a text, counting characters from 1") {
  CHECK(result_of("position", {"käse"_text, "se"_text}) == "3");
  CHECK(result_of("strpos", {"abc"_text, "x"_text}) == "0");
  CHECK(result_of("strpos", {"abc"_text, ""_text}) == "1");
  CHECK(result_of("starts_with", {"käse"_text, "kä"_text}) == "true");
  CHECK(result_of("^@", {"abc"_text, "b"_text}) == "false");
}

TEST_CASE("replace and translate") {
  CHECK(result_of("replace", {"a-b-c"_text, "-"_text, "+++"_text}) == "a+++b+++c");
  CHECK(result_of("replace", {"aaaa"_text, "aa"_text, "b"_text}) == "bb");
  CHECK(result_of("replace", {"abc"_text, ""_text, "x"_text}) == "abc");
  CHECK(result_of("replace", {"abc"_text, "abc"_text, ""_text}) == "");
  CHECK(result_of("translate", {"12345"_text, "143"_text, "ax"_text}) == "a2x5");
  CHECK(result_of("translate", {"käse"_text, "ä"_text, "日"_text}) == "k日se");
}

TEST_CASE("split_part counts fields from either end") {
  CHECK(result_of("split_part", {"a~@~b~@~c"_text, "~@~"_text, i(2)}) == "b");
  CHECK(result_of("split_part", {"a,b,c"_text, ","_text, i(-1)}) == "c");
  CHECK(result_of("split_part", {"a,b,c"_text, ","_text, i(-3)}) == "a");
  CHECK(result_of("split_part", {"a,b,c"_text, ","_text, i(-4)}) == "");
  CHECK(result_of("split_part", {"a,b,c"_text, ","_text, i(4)}) == "");
  CHECK(result_of("split_part", {"a,b"_text, ""_text, i(1)}) == "a,b");
  CHECK(result_of("split_part", {"a,b"_text, ""_text, i(2)}) == "");
  CHECK(result_of("split_part", {"a,b"_text, ","_text, i(0)}) ==
        "error: field position must not be zero");
}

TEST_CASE("lpad and rpad fill and cut to a number of characters") {
  CHECK(result_of("lpad", {"hi"_text, i(5), "xy"_text}) == "xyxhi");
  CHECK(result_of("rpad", {"hi"_text, i(5), "xy"_text}) == "hixyx");
  CHECK(result_of("lpad", {"7"_text, i(3)}) == "  7");
  CHECK(result_of("rpad", {"ä"_text, i(3)}) == "ä  ");
  CHECK(result_of("lpad", {"hello"_text, i(2), "x"_text}) == "he");
  CHECK(result_of("rpad", {"hello"_text, i(0), "x"_text}) == "");
  CHECK(result_of("lpad", {"hi"_text, i(5), ""_text}) == "hi");
  CHECK(result_of("lpad", {"hi"_text, i(50'000'000), "x"_text}) ==
        "error: text of 50000000 bytes is longer than the most, 16777216");
}

TEST_CASE("repeat, reverse, ascii, chr and to_hex") {
  CHECK(result_of("repeat", {"ab"_text, i(3)}) == "ababab");
  CHECK(result_of("repeat", {"ab"_text, i(-1)}) == "");
  CHECK(result_of("repeat", {"ab"_text, i(2147483647)}) ==
        "error: text of 4294967294 bytes is longer than the most, 16777216");
  CHECK(result_of("reverse", {"käse"_text}) == "esäk");
  CHECK(result_of("ascii", {"ä"_text}) == "228");
  CHECK(result_of("ascii", {""_text}) == "0");
  CHECK(result_of("chr", {i(228)}) == "ä");
  CHECK(result_of("chr", {i(0x1F600)}) == "😀");
  CHECK(result_of("chr", {i(0)}) ==
        "error: no character has the code 0; codes are 1 to 1114111 without 55296 to 57343");
  CHECK(result_of("chr", {i(0xD800)}).starts_with("error: no character has the code 55296"));
  CHECK(result_of("to_hex", {i(255)}) == "ff");
  CHECK(result_of("to_hex", {i(-1)}) == "ffffffff");
  CHECK(result_of("to_hex", {Value::bigint(-1)}) == "ffffffffffffffff");
}

TEST_CASE("a concatenation longer than a text may be fails") {
  Arena arena;
  const std::string half(9 << 20, 'x');
  const Batch batch = batch_of({Type::text()}, {{Value::text(half)}}, arena);
  const ExprRef text = column_expr(0, Type::text());
  const std::vector<std::string> expected = {
      "error: text of 18874368 bytes is longer than the most, 16777216"};
  CHECK(run(call("||", {text, text}), batch) == expected);
  CHECK(run(call("concat", {text, text}), batch) == expected);
  CHECK(run(call("replace", {text, constant_expr("x"_text), constant_expr("xx"_text)}), batch) ==
        expected);
}

TEST_CASE("LIKE matches with % and _, and a backslash takes their meaning away") {
  const auto like = [](const char* text, const char* pattern) {
    return result_of("~~", {Value::text(text), Value::text(pattern)});
  };
  CHECK(like("abc", "abc") == "true");
  CHECK(like("abc", "abd") == "false");
  CHECK(like("abc", "a%") == "true");
  CHECK(like("abc", "%c") == "true");
  CHECK(like("abc", "%b%") == "true");
  CHECK(like("abc", "%") == "true");
  CHECK(like("", "%") == "true");
  CHECK(like("abc", "%%") == "true");
  CHECK(like("", "_") == "false");
  CHECK(like("abc", "_b_") == "true");
  CHECK(like("äbc", "_bc") == "true");
  CHECK(like("abc", "a%c%d") == "false");
  CHECK(like("aXbXc", "a%X_") == "true");
  CHECK(like("mississippi", "m%iss%pi") == "true");
  CHECK(like("mississippi", "m%isz%pi") == "false");
  CHECK(like("100%", "100\\%") == "true");
  CHECK(like("1000", "100\\%") == "false");
  CHECK(like("a\\b", "a\\\\b") == "true");
  CHECK(like("abc", "ABC") == "false");
  CHECK(like("abc", "a\\") == "error: LIKE pattern must not end with escape character");
  CHECK(result_of("!~~", {"abc"_text, "a%"_text}) == "false");
  CHECK(result_of("!~~", {"abc"_text, "b%"_text}) == "true");
  CHECK(result_of("~~", {"abc"_text, kNullText}) == "NULL");
}

TEST_CASE("ILIKE ignores case") {
  CHECK(result_of("~~*", {"Käse"_text, "KÄ%"_text}) == "true");
  CHECK(result_of("~~*", {"Käse"_text, "x%"_text}) == "false");
  CHECK(result_of("!~~*", {"Käse"_text, "%SE"_text}) == "false");
}

TEST_CASE("LIKE with another escape character") {
  CHECK(result_of("like_escape", {"a#%b\\_"_text, "#"_text}) == "a\\%b\\\\_");
  CHECK(result_of("like_escape", {"a\\%"_text, "\\"_text}) == "a\\%");
  CHECK(result_of("like_escape", {"a\\%"_text, ""_text}) == "a\\\\%");
  CHECK(result_of("like_escape", {"a##"_text, "#"_text}) == "a\\#");
  CHECK(result_of("like_escape", {"a"_text, "##"_text}) ==
        "error: invalid escape string: it must be empty or one character");
}

TEST_CASE("regular expressions match anywhere unless anchored") {
  CHECK(result_of("~", {"hello world"_text, "w.r"_text}) == "true");
  CHECK(result_of("~", {"hello"_text, "^ell"_text}) == "false");
  CHECK(result_of("!~", {"hello"_text, "^ell"_text}) == "true");
  CHECK(result_of("~*", {"HELLO"_text, "ell"_text}) == "true");
  CHECK(result_of("!~*", {"HELLO"_text, "ell"_text}) == "false");
  CHECK(result_of("~", {"a"_text, "("_text}) ==
        "error: invalid regular expression \"(\": missing ): (");
  CHECK(result_of("regexp_like", {"abc"_text, "B"_text}) == "false");
  CHECK(result_of("regexp_like", {"abc"_text, "B"_text, "i"_text}) == "true");
  CHECK(result_of("regexp_like", {"abc"_text, "B"_text, "q"_text}) ==
        "error: invalid regular expression options \"q\"; there are g (all matches), i (ignore "
        "case) and c (heed case)");
}

TEST_CASE("regexp_replace replaces the first match, or all with the flag g") {
  CHECK(result_of("regexp_replace", {"foobarbaz"_text, "b.."_text, "X"_text}) == "fooXbaz");
  CHECK(result_of("regexp_replace", {"foobarbaz"_text, "b.."_text, "X"_text, "g"_text}) == "fooXX");
  CHECK(result_of("regexp_replace", {"foobarbaz"_text, "b(..)"_text, "X\\1Y"_text, "g"_text}) ==
        "fooXarYXazY");
  CHECK(result_of("regexp_replace", {"abc"_text, "B"_text, "[\\&]"_text, "gi"_text}) == "a[b]c");
  CHECK(result_of("regexp_replace", {"abc"_text, "b"_text, "\\\\"_text}) == "a\\c");
  CHECK(result_of("regexp_replace", {"abc"_text, "x*"_text, "-"_text, "g"_text}) == "-a-b-c-");
  CHECK(result_of("regexp_replace", {"baaac"_text, "a*"_text, "-"_text, "g"_text}) == "-b-c-");
  CHECK(result_of("regexp_replace", {"äb"_text, "x*"_text, "-"_text, "g"_text}) == "-ä-b-");
  CHECK(result_of("regexp_replace", {"abc"_text, "z"_text, "-"_text}) == "abc");
  CHECK(result_of("regexp_replace", {"abc"_text, "b(x)?"_text, "<\\1>"_text}) == "a<>c");
  CHECK(result_of("regexp_replace", {""_text, "^$"_text, "e"_text}) == "e");
}

TEST_CASE("regexp_substr and substring find a text, regexp_count counts them") {
  CHECK(result_of("regexp_substr", {"order 4711 of 12"_text, "[0-9]+"_text}) == "4711");
  CHECK(result_of("regexp_substr", {"order"_text, "[0-9]+"_text}) == "NULL");
  CHECK(result_of("substring", {"user=anna;"_text, "user=(\\w+)"_text}) == "anna");
  CHECK(result_of("substring", {"foobar"_text, "o.b"_text}) == "oob");
  CHECK(result_of("substring", {"foobar"_text, "(x)?b"_text}) == "NULL");
  CHECK(result_of("regexp_count", {"a1b22c333"_text, "[0-9]+"_text}) == "3");
  CHECK(result_of("regexp_count", {"abc"_text, ""_text}) == "4");
  CHECK(result_of("regexp_count", {"abc"_text, "["_text}).starts_with("error: invalid regular"));
}

TEST_CASE("a pattern from a column is compiled when it changes") {
  Arena arena;
  const Batch batch = batch_of({Type::text(), Type::text()},
                               {{"abc"_text, "^a"_text},
                                {"bcd"_text, "^a"_text},
                                {"bcd"_text, "["_text},
                                {"bcd"_text, "d$"_text}},
                               arena);
  const ExprRef match = call("~", {column_expr(0, Type::text()), column_expr(1, Type::text())});
  CHECK(run(match, batch) ==
        std::vector<std::string>{"true", "false",
                                 "error: invalid regular expression \"[\": missing ]: [", "true"});
}

TEST_CASE("bytes are converted to text if they are UTF-8") {
  CHECK(result_of("convert_from", {bytes("\\x6772c3bcc39f"), "UTF8"_text}) == "gr\u00fc\u00df");
  CHECK(result_of("convert_from", {bytes("\\x"), "utf-8"_text}) == "");
  CHECK(result_of("convert_from", {bytes("\\x61ff"), "UTF8"_text}) ==
        "error: invalid bytes for the encoding UTF8: \"a\\xff\"");
  CHECK(result_of("convert_from", {bytes("\\x6100"), "UTF8"_text}) ==
        "error: invalid bytes for the encoding UTF8: \"a\\x00\"");
  CHECK(result_of("convert_from", {bytes("\\x61"), "LATIN1"_text}) ==
        "error: unrecognized encoding: \"LATIN1\"; there is UTF8");
}

TEST_CASE("a header is read from the text of all of them") {
  const auto headers = R"({"a":"1","b":null,"c":"\u00e4 \"q\""})"_text;
  CHECK(result_of("kafka_header", {headers, "a"_text}) == "1");
  CHECK(result_of("kafka_header", {headers, "b"_text}) == "NULL");
  CHECK(result_of("kafka_header", {headers, "c"_text}) == "\u00e4 \"q\"");
  CHECK(result_of("kafka_header", {headers, "d"_text}) == "NULL");
  CHECK(result_of("kafka_header", {"x"_text, "a"_text}) ==
        "error: expected a JSON object such as kafka_headers has, got \"x\"");
}

TEST_CASE("encode and decode turn bytes into hex and base64 and back") {
  CHECK(result_of("encode", {bytes("\\x00ff10"), "hex"_text}) == "00ff10");
  CHECK(result_of("encode", {bytes("\\x00ff10"), "BASE64"_text}) == "AP8Q");
  CHECK(result_of("encode", {bytes("\\x00ff"), "base64"_text}) == "AP8=");
  CHECK(result_of("encode", {bytes("\\x00"), "base64"_text}) == "AA==");
  CHECK(result_of("encode", {bytes("\\x"), "base64"_text}) == "");
  const std::string zeros(57 * 2, '0');
  CHECK(result_of("encode", {bytes(("\\x" + zeros + "00").c_str()), "base64"_text}) ==
        std::string(76, 'A') + "\nAA==");
  CHECK(result_of("decode", {"00FF 10"_text, "hex"_text}) == "\\x00ff10");
  CHECK(result_of("decode", {"AP8Q\n"_text, "base64"_text}) == "\\x00ff10");
  CHECK(result_of("decode", {"AP8="_text, "base64"_text}) == "\\x00ff");
  CHECK(result_of("decode", {"AA=="_text, "base64"_text}) == "\\x00");
  CHECK(result_of("decode", {"0g"_text, "hex"_text}) == "error: invalid hexadecimal digit: \"g\"");
  CHECK(result_of("decode", {"0"_text, "hex"_text}) ==
        "error: invalid hexadecimal data: odd number of digits");
  CHECK(result_of("decode", {"A*"_text, "base64"_text}) ==
        "error: invalid symbol \"*\" found while decoding base64 sequence");
  CHECK(result_of("decode", {"AA=A"_text, "base64"_text}) ==
        "error: invalid symbol \"A\" found while decoding base64 sequence");
  CHECK(result_of("decode", {"AAA"_text, "base64"_text}) ==
        "error: invalid base64 end sequence: the last group has fewer than 4 digits");
  CHECK(result_of("encode", {bytes("\\x00"), "rot13"_text}) ==
        "error: unrecognized encoding: \"rot13\"; there are hex and base64");
}

}  // namespace
}  // namespace kappa::operators
