#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "engine/cli/import/mapping.h"
#include "engine/cli/import/progress_bar.h"
#include "engine/cli/import/record_reader.h"
#include "test/cli/packed.h"
#include "test/cli/scratch.h"

namespace kappa::cli {
namespace {

// Records as text: "LINE a|b|c", or "LINE !reason: text".
std::vector<std::string> read_all(const std::string& bytes, FileFormat format = FileFormat::kCsv) {
  const Scratch scratch;
  auto source = ByteSource::open(scratch.file("in", bytes));
  REQUIRE(source.ok());
  auto reader = RecordReader::open(*std::move(source), format);
  if (!reader.ok()) return {std::string(reader.status().message())};
  std::vector<std::string> records;
  InputRecord record;
  while (true) {
    const auto found = (*reader)->next(&record);
    if (!found.ok()) records.emplace_back(found.status().message());
    if (!found.ok() || !*found) return records;
    std::string text = absl::StrCat(record.line, " ");
    if (!record.fault.empty()) {
      text += "!" + record.fault + ": " + std::string(record.text);
    } else if (format == FileFormat::kNdjson) {
      text += record.text;
    } else {
      for (const auto& field : record.fields) text += std::string(field) + "|";
    }
    records.push_back(text);
  }
}

using Lines = std::vector<std::string>;

serve::RecordToSend mapped(const MappingOptions& options, const std::string& bytes,
                           FileFormat format = FileFormat::kCsv, std::string* fault = nullptr,
                           const DeclaredTypes& declared = {}) {
  const Scratch scratch;
  auto source = ByteSource::open(scratch.file("in", bytes));
  REQUIRE(source.ok());
  auto reader = RecordReader::open(*std::move(source), format);
  REQUIRE(reader.ok());
  auto mapping = Mapping::make(
      options, format == FileFormat::kCsv ? &(*reader)->columns() : nullptr, declared);
  INFO(mapping.status());
  REQUIRE(mapping.ok());
  InputRecord input;
  REQUIRE((*reader)->next(&input).value());
  serve::RecordToSend record;
  const absl::Status status = mapping->map(input, &record);
  if (fault) *fault = std::string(status.message());
  if (!fault) CHECK(status == absl::OkStatus());
  return record;
}

std::string refusal(const MappingOptions& options) {
  const std::vector<std::string> columns = {"id", "amount"};
  return std::string(Mapping::make(options, &columns, {}).status().message());
}

}  // namespace

TEST_CASE("CSV fields may hold commas, quotes and line breaks") {
  CHECK(read_all("a,b\n1,2\n\"x,y\",\"say \"\"hi\"\"\"\n\"two\nlines\",3\n4,5") ==
        Lines{"2 1|2|", "3 x,y|say \"hi\"|", "4 two\nlines|3|", "6 4|5|"});
  CHECK(read_all("\xef\xbb\xbf"
                 "a,b\r\n1,\r\n\r\n\"2\",\"\"\r\n") == Lines{"2 1||", "4 2||"});
  CHECK(read_all("a\n1\n\"\"\n2\n") == Lines{"2 1|", "3 |", "4 2|"});
}

TEST_CASE("a bad CSV line is told alone, and reading goes on at the next one") {
  CHECK(read_all("a,b\n1\n2,3,4\n5,6\n") == Lines{"2 !it has 1 field, the header has 2: 1",
                                                  "3 !it has 3 fields, the header has 2: 2,3,4",
                                                  "4 5|6|"});
  CHECK(read_all("a,b\n1,x\"y\n\"z\"z,1\n5,6\n") ==
        Lines{"2 !a quote stands inside of a field that does not begin with one: 1,x\"y",
              "3 !something stands between a closing quote and the next comma: \"z\"z,1",
              "4 5|6|"});
  CHECK(read_all("a,b\n1,\"open\n5,6\n") ==
        Lines{"2 !a quote is never closed: 1,\"open", "3 5|6|"});
  CHECK(read_all("a,b\n1,\xff\n5,6\n") == Lines{"2 !it is not UTF-8: 1,\xff", "3 5|6|"});
}

TEST_CASE("a quote that is never closed costs one line of a long file") {
  std::string text = "a,b\n1,\"open\n";
  constexpr int kLines = 400'000;
  for (int i = 0; i < kLines; ++i) text += "5,6\n";
  const Lines records = read_all(text);
  REQUIRE(records.size() == kLines + 1);
  CHECK(records[0].starts_with("2 !the record is longer than 1 MiB"));
  CHECK(records.back() == absl::StrCat(kLines + 2, " 5|6|"));
}

TEST_CASE("a header with no name, or the same twice, is refused") {
  CHECK(read_all("") == Lines{"the file has no header line"});
  CHECK(read_all("a,,b\n") == Lines{"line 1, the header: a column has no name"});
  CHECK(read_all("a,b,a\n") == Lines{"line 1, the header: there are two columns \"a\""});
}

TEST_CASE("NDJSON is read a line at a time") {
  CHECK(read_all("{\"a\":1}\n\n  {\"a\":2}\r\n{\"a\":3}", FileFormat::kNdjson) ==
        Lines{"1 {\"a\":1}", "3   {\"a\":2}", "4 {\"a\":3}"});
}

TEST_CASE("records are the same however the file is packed and wherever it is cut") {
  std::string text = "id,note\n";
  for (int i = 0; i < 60'000; ++i) {
    absl::StrAppend(&text, i, i % 7 == 0 ? ",\"a \"\"b\"\",\nc\"\n" : ",plain\n");
  }
  const Lines expected = read_all(text);
  REQUIRE(expected.size() == 60'000);
  CHECK(read_all(gzip(text)) == expected);
  CHECK(read_all(zstd(text)) == expected);
  const std::string head = text.substr(0, 300'001);
  const std::string tail = text.substr(300'001);
  CHECK(read_all(gzip(head) + gzip("") + gzip(tail)) == expected);
  CHECK(read_all(zstd(head) + zstd("") + zstd(tail)) == expected);
}

TEST_CASE("packed data that is cut or damaged is an error that names the file") {
  std::string text = "id\n";
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, i * 7919 % 1000, "\n");
  for (const std::string& packed : {gzip(text), zstd(text)}) {
    INFO(packed.substr(1, 3));
    CHECK(read_all(packed.substr(0, packed.size() - 3)).back().find("cut off") !=
          std::string::npos);
    CHECK(read_all(packed + "no such thing").back().find("near byte") != std::string::npos);
  }
}

TEST_CASE("numbers stay as they are written, ids with leading zeros stay text") {
  CHECK(*mapped({}, "a,b,c,d,e,f,g,h\n7,0.10,007,-3,1e5,,x y,12345678901234567890123\n").value ==
        R"({"a":7,"b":0.10,"c":"007","d":-3,"e":"1e5","g":"x y","h":12345678901234567890123})");
}

TEST_CASE("columns become fields by their type, new names, and constants") {
  MappingOptions options;
  options.types = {"id=text", "ok=boolean", "n=double"};
  options.renames = {"id=card_id"};
  options.drops = {"junk"};
  options.sets = {"source=import", "version=2", "old=x"};
  CHECK(*mapped(options, "id,ok,n,junk,old\n17,YES,1e3,q,w\n").value ==
        R"({"old":"x","source":"import","version":2,"card_id":"17","ok":true,"n":1e3})");
  CHECK(*mapped({}, "a\n\"tab\there \"\"q\"\" \\ \x01\"\n").value ==
        R"({"a":"tab\u0009here \"q\" \\ \u0001"})");
  CHECK(*mapped({}, "a,b\n5,6\n", FileFormat::kCsv, nullptr, {{"a", FieldType::kText}}).value ==
        R"({"a":"5","b":6})");
}

TEST_CASE("NDJSON objects stay as they are unless an option changes fields") {
  MappingOptions options;
  options.key = {"k"};
  const std::string line = R"({ "k": "a\"b", "n": 1.50, "o": {"x": [1, "}"]}, "z": null })";
  const auto plain = mapped(options, line, FileFormat::kNdjson);
  CHECK(*plain.value == line);
  CHECK(*plain.key == "a\"b");
  options.renames = {"n=m"};
  options.types = {"n=text"};
  options.drops = {"z"};
  CHECK(*mapped(options, line, FileFormat::kNdjson).value ==
        R"({"k":"a\"b","m":"1.50","o":{"x": [1, "}"]}})");
  std::string fault;
  mapped({}, "[1]", FileFormat::kNdjson, &fault);
  CHECK(fault == "it is not a JSON object");
}

TEST_CASE("key and timestamp come from columns, also from dropped ones") {
  MappingOptions options;
  options.key = {"b", "a"};
  options.drops = {"t", "b"};
  options.timestamp = "t";
  options.timestamp_unit = "s";
  options.timestamp_delay = "7 days";
  const auto record = mapped(options, "a,b,t\n1,x,1000\n");
  CHECK(*record.key == "x|1");
  CHECK(record.timestamp->ms == 1'000'000 + 7 * 86'400'000LL);
  CHECK(*record.value == R"({"a":1})");
  options.timestamp_unit = "iso";
  options.timestamp_delay.clear();
  CHECK(mapped(options, "a,b,t\n,,1970-01-01T00:00:02.5Z\n").timestamp->ms == 2500);
  CHECK(*mapped(options, "a,b,t\n1,,1970-01-02\n").key == "|1");
  CHECK(!mapped(options, "a,b,t\n,,1970-01-02\n").key);
  options.timestamp_unit = "us";
  CHECK(mapped(options, "a,b,t\n,,2500\n").timestamp->ms == 2);
  std::string fault;
  for (const char* bad : {"-1", "1.5", "x", "99999999999999999999"}) {
    mapped(options, absl::StrCat("a,b,t\n,,", bad, "\n"), FileFormat::kCsv, &fault);
    CHECK(fault ==
          absl::StrCat("t: expected a whole number of units since 1970, found \"", bad, "\""));
  }
  mapped(options, "a,b,t\n,x,\n", FileFormat::kCsv, &fault);
  CHECK(fault == "it has no t, its timestamp");
  options = {};
  options.types = {"a=integer"};
  mapped(options, "a\n007\n", FileFormat::kCsv, &fault);
  CHECK(fault == "a: expected a whole number, found \"007\"");
}

TEST_CASE("an option that names no column of the file is refused by name") {
  MappingOptions options;
  options.key = {"amuont"};
  CHECK(refusal(options) == "--key: the file has no column \"amuont\"; did you mean \"amount\"?");
  options = {};
  options.types = {"id=money"};
  CHECK(refusal(options) ==
        "--type id=money: expected text, integer, bigint, double, numeric or boolean");
  options = {};
  options.renames = {"id"};
  CHECK(refusal(options) == "--rename id: expected NAME=VALUE");
  options = {};
  options.timestamp_delay = "7 days";
  CHECK(refusal(options) == "--timestamp-delay needs --timestamp");
  options.timestamp = "id";
  options.timestamp_delay = "soon";
  CHECK(refusal(options) == "--timestamp-delay soon: expected a time such as \"7 days\"");
}

TEST_CASE("progress shows the way, the rate and what is left") {
  CHECK(progress_text(500, 10, 50, 100) ==
        "[###############               ]  50 %  500 records  50/s  0:10 left");
  CHECK(progress_text(500, 10, 50, std::nullopt) == "500 records  50/s");
}

}  // namespace kappa::cli
