// The decoder by learnt shapes against the slow path alone: equal rows, equal reasons. And both
// against another JSON parser, for what is JSON at all.
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "schemas/json_decoder.h"
#include "test/schemas/payloads.h"

namespace kappa::schemas {
namespace {

using Random = std::mt19937_64;

Source every_type() {
  Source source;
  source.name = source.topic = "t";
  source.columns = {
      column_of("flag", Type::boolean()),       column_of("small", Type::integer()),
      column_of("large", Type::bigint()),       column_of("real", Type::double_precision()),
      column_of("price", Type::numeric(12, 2)), column_of("sum", Type::numeric(30, 6)),
      column_of("name", Type::text()),          column_of("bytes", Type::bytea()),
      column_of("at", Type::timestamptz()),     column_of("epoch", Type::timestamptz()),
      column_of("day", Type::date()),           column_of("span", Type::interval()),
      column_of("unwanted_text", Type::text()), column_of("unwanted_at", Type::timestamptz()),
      column_of("unwanted_n", Type::bigint()),  column_of("nanos", Type::timestamptz())};
  source.columns[9].unit = TimeUnit::kMillis;
  source.columns[15].unit = TimeUnit::kNanos;
  source.primary_key = {2};
  source.event_time = 8;
  return source;
}

const std::vector<std::string>& values_of(const SourceColumn& column) {
  static const std::vector<std::string> booleans = {"true", "false",    "null",
                                                    "1",    "\"true\"", "tru"};
  static const std::vector<std::string> integers = {"0",
                                                    "-0",
                                                    "7",
                                                    "-12",
                                                    "12345678",
                                                    "123456789",
                                                    "2147483647",
                                                    "2147483648",
                                                    "-2147483648",
                                                    "9223372036854775807",
                                                    "9223372036854775808",
                                                    "123456789012345678",
                                                    "1234567890123456789",
                                                    "\"5\"",
                                                    "\"-5\"",
                                                    "1.0",
                                                    "1e2",
                                                    "1E-2",
                                                    "01",
                                                    "-",
                                                    "+1",
                                                    "null",
                                                    "\"\"",
                                                    "12x",
                                                    "{}",
                                                    "[]"};
  static const std::vector<std::string> reals = {"0",
                                                 "-0",
                                                 "0.1",
                                                 "-1.5",
                                                 "123.456",
                                                 "1e10",
                                                 "1.7976931348623157e308",
                                                 "1e309",
                                                 "5e-324",
                                                 "1e-400",
                                                 "0.30000000000000004",
                                                 "9007199254740993",
                                                 "123456789012345678901234567890",
                                                 "\"NaN\"",
                                                 "\"Infinity\"",
                                                 "null",
                                                 "1.",
                                                 ".5",
                                                 "00",
                                                 "1e",
                                                 "0.1234567890123456789",
                                                 "12345678901234.5678",
                                                 "-0.0"};
  static const std::vector<std::string> numerics = {"0",
                                                    "12.5",
                                                    "12.50",
                                                    "12.500",
                                                    "12.505",
                                                    "-0.01",
                                                    "9999999999.99",
                                                    "10000000000",
                                                    "1e3",
                                                    "\"12.5\"",
                                                    "\"-12.5\"",
                                                    "\"12.5",
                                                    "\"1e1\"",
                                                    "null",
                                                    "12.",
                                                    "-.5",
                                                    "\"x\"",
                                                    "\" 1\"",
                                                    "123456789012345678901234.123456",
                                                    "1234567890123456789012345",
                                                    "0.000001",
                                                    "0.0000001"};
  static const std::vector<std::string> texts = {
      "\"\"",
      "\"x\"",
      "\"a longer text that fills more than sixteen bytes\"",
      "\"gr\xc3\xbc\xc3\x9f\"",
      "\"\xf0\x9f\x98\x80 in between and then more than sixteen bytes\"",
      "\"a\\\"b\"",
      "\"\\u00e4\"",
      "\"\\u0000\"",
      "\"\\ud800\"",
      "\"\xff\"",
      "\"\xc3\"",
      "\"tab\there\"",
      "null",
      "5",
      "\"\\x\"",
      "\"fifteen bytes!!\"",
      "\"sixteen bytes!!!\"",
      "\"seventeen bytes!!\"",
      "\"open",
      "true"};
  static const std::vector<std::string> bytes = {
      "\"\"", "\"AAEC\"", "\"AA==\"", "\"AA\"", "\"A\"", "\"AAEC\\/w==\"", "\"!\"", "null", "1"};
  static const std::vector<std::string> times = {"\"2015-07-15 00:08:19.999\"",
                                                 "\"2015-07-15T00:08:19.999Z\"",
                                                 "\"2015-07-15 00:08:19\"",
                                                 "\"2015-07-16 23:59:59.123456\"",
                                                 "\"2015-07-15T00:08:19+02:00\"",
                                                 "\"2015-07-15\"",
                                                 "\"2015-02-29 00:00:00\"",
                                                 "\"2015-07-15 24:00:00\"",
                                                 "\"2015-07-15 00:60:00\"",
                                                 "\"2016-12-31T23:59:60Z\"",
                                                 "\"2015-07-15 00:08:19.1234567\"",
                                                 "\"2015-07-15 00:08:19.\"",
                                                 "\"2015-07-15_00:08:19\"",
                                                 "null",
                                                 "1436918899999",
                                                 "1.5",
                                                 "\"\"",
                                                 "\"2015-07-15 00:08:1\"",
                                                 "\"0001-01-01 00:00:00\"",
                                                 "\"9999-12-31 23:59:59.999999\"",
                                                 "\"0000-01-01 00:00:00\"",
                                                 "1e3",
                                                 "99999999999999999999",
                                                 "\"2015-07-15 00:08:19.999ZZ\"",
                                                 "-1"};
  static const std::vector<std::string> days = {"\"2015-07-15\"", "\"2015-02-29\"", "null", "5",
                                                "\"2015-7-1\""};
  static const std::vector<std::string> spans = {"\"PT5M\"", "\"1 day\"",      "\"1 month\"",
                                                 "null",     "\"00:00:10.5\"", "5"};
  switch (column.type.id) {
    case TypeId::kBoolean:
      return booleans;
    case TypeId::kInteger:
    case TypeId::kBigint:
      return integers;
    case TypeId::kDouble:
      return reals;
    case TypeId::kNumeric:
      return numerics;
    case TypeId::kBytea:
      return bytes;
    case TypeId::kTimestamptz:
      return times;
    case TypeId::kDate:
      return days;
    case TypeId::kInterval:
      return spans;
    default:
      return texts;
  }
}

// How often records are unusual, once in so many: in their fields; in the value of a field; and by
// a null, where one may be.
struct Oddness {
  uint64_t fields = 6;
  uint64_t values = 20;
  uint64_t nulls = 20;
};

class Generator {
 public:
  explicit Generator(uint64_t seed, Oddness oddness = {})
      : random_(seed), oddness_(oddness), source_(every_type()) {}

  // A record: mostly the usual fields in the usual order with usual values.
  std::string record() {
    std::vector<std::string> fields;
    const bool odd = one_in(oddness_.fields);
    for (const SourceColumn& column : source_.columns) {
      if (odd && one_in(6)) continue;
      const auto& values = values_of(column);
      // The first value of each list is a good one.
      std::string value = values[one_in(3) ? below(3) % values.size() : 0];
      if (one_in(oddness_.values)) value = pick(values);
      if (one_in(oddness_.nulls)) value = "null";
      fields.push_back("\"" + column.field + "\"" + colon() + value);
    }
    fields.insert(fields.begin() + 3,
                  "\"extra\"" + colon() + (one_in(oddness_.fields) ? extra() : "1"));
    if (odd && one_in(3)) fields.push_back(fields[below(fields.size())]);
    if (odd && one_in(2)) std::shuffle(fields.begin(), fields.end(), random_);
    std::string text = "{";
    for (size_t i = 0; i < fields.size(); ++i) text += (i == 0 ? "" : comma_) + fields[i];
    return text + "}";
  }

  // A few random edits of the bytes.
  std::string mutated(std::string text) {
    const size_t edits = 1 + below(3);
    for (size_t i = 0; i < edits && !text.empty(); ++i) {
      const size_t at = below(text.size());
      switch (below(6)) {
        case 0:
          text[at] = static_cast<char>(random_());
          break;
        case 1:
          text[at] = interesting();
          break;
        case 2:
          text.insert(text.begin() + static_cast<std::ptrdiff_t>(at), interesting());
          break;
        case 3:
          text.erase(at, 1 + below(3));
          break;
        case 4:
          text.resize(at);
          break;
        default:
          text.insert(at, text.substr(below(text.size()), below(20)));
          break;
      }
    }
    return text;
  }

  bool one_in(uint64_t n) { return random_() % n == 0; }
  size_t below(size_t n) { return random_() % n; }
  // Now and then another layout, so that several shapes are at home in the cache.
  void change_layout() {
    colon_ = one_in(3) ? ": " : ":";
    comma_ = one_in(3) ? ", " : ",";
  }
  const Source& source() const { return source_; }

 private:
  char interesting() {
    constexpr std::string_view kBytes =
        "\"\\{}[],:0123456789.-+eEtfnulTZ \t\n\0\x1f\x7f\x80\xc3\xff";
    return kBytes[below(kBytes.size())];
  }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }
  std::string extra() {
    static const std::vector<std::string> extras = {"1",
                                                    "\"x\"",
                                                    "{\"a\":1,\"b\":[1,2]}",
                                                    "{\"a\":2,\"b\":[3,4]}",
                                                    "[]",
                                                    "[[],{}]",
                                                    "null",
                                                    "{\"large\":1}",
                                                    "[1,2}",
                                                    "\"\\n\"",
                                                    "1e5",
                                                    "01",
                                                    "{\"a\":\"b\":1}"};
    return one_in(3) ? pick(extras) : extras[below(4)];
  }
  const std::string& colon() const { return colon_; }

  Random random_;
  Oddness oddness_;
  Source source_;
  std::string colon_ = ":";
  std::string comma_ = ",";
};

// The other parser refuses numbers that no double holds, which are JSON all the same.
bool has_extreme_number(const std::string& text) {
  size_t digits = 0;  // in a row
  bool exponent = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      ++digits;
      if (digits >= (exponent ? 3u : 200u)) return true;
      continue;
    }
    exponent = c == 'e' || c == 'E' || (exponent && digits == 0 && (c == '+' || c == '-'));
    digits = 0;
  }
  return false;
}

void check_against_other_parser(const std::string& text, const std::string& reason) {
  const bool accepted = nlohmann::json::accept(text);
  const bool called_broken = reason.rfind("not valid JSON", 0) == 0;
  INFO(text << " -> " << reason);
  if (called_broken) REQUIRE((!accepted || has_extreme_number(text)));
  // A record that became a row is one object of JSON.
  if (reason.empty() && !has_extreme_number(text)) {
    REQUIRE(accepted);
    REQUIRE(nlohmann::json::parse(text).is_object());
  }
}

void run(uint64_t seed, int batches, double mutation_rate, Oddness oddness = {}) {
  INFO("seed " << seed);
  Generator generator(seed, oddness);
  std::vector<int> wanted = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15};
  const auto learning = make_json_decoder(generator.source(), wanted, JsonPath::kLearning);
  const auto slow = make_json_decoder(generator.source(), wanted, JsonPath::kSlowOnly);
  Decoded by_shape;
  Decoded by_parser;
  std::mt19937_64 random(seed + 1);
  size_t rows = 0;
  for (int batch = 0; batch < batches; ++batch) {
    Payloads payloads;
    std::vector<std::string> texts;
    generator.change_layout();
    for (int i = 0; i < 50; ++i) {
      std::string text = generator.record();
      if (static_cast<double>(random() % 1000) < mutation_rate * 1000)
        text = generator.mutated(text);
      payloads.add(text);
      texts.push_back(text);
    }
    Arena arena;
    learning->decode(payloads.records(), arena, &by_shape);
    slow->decode(payloads.records(), arena, &by_parser);
    require_same(by_shape, by_parser);
    std::vector<std::string> reasons(texts.size());
    for (const Malformed& malformed : by_parser.malformed)
      reasons[malformed.record] = malformed.reason;
    for (size_t i = 0; i < texts.size(); ++i) check_against_other_parser(texts[i], reasons[i]);
    rows += by_parser.records.size();
  }
  CHECK(rows > 0);
}

}  // namespace

TEST_CASE("decoding by shape and by parser agree on random records") {
  run(std::random_device{}(), 300, 0);
}

TEST_CASE("decoding by shape and by parser agree on damaged records") {
  run(std::random_device{}(), 600, 0.5);
}

// So much alike that most are read several at a time, and some of those fail on the way.
TEST_CASE("decoding by shape and by parser agree on records that are mostly alike") {
  const uint64_t seed = std::random_device{}();
  run(seed, 300, 0, {.fields = 5'000, .values = 100'000, .nulls = 30});
  run(seed, 300, 0.01, {.fields = 500, .values = 2'000, .nulls = 100});
  run(seed, 300, 0.03, {.fields = 500, .values = 1'000, .nulls = 50});
}

TEST_CASE("decoding by shape and by parser agree on every cut of a record") {
  Generator generator(7);
  const Source source = generator.source();
  const auto learning = make_json_decoder(source, all_of(source), JsonPath::kLearning);
  const auto slow = make_json_decoder(source, all_of(source), JsonPath::kSlowOnly);
  std::string text;
  Decoded by_shape;
  Decoded by_parser;
  Arena arena;
  do {
    text = generator.record();
    Payloads one;
    one.add(text);
    slow->decode(one.records(), arena, &by_parser);
  } while (by_parser.records.empty());
  Payloads payloads;
  payloads.add(text);
  for (size_t size = 0; size <= text.size(); ++size) payloads.add(text.substr(0, size));
  for (size_t at = 0; at < text.size(); ++at) {
    for (const char c : {'"', '\\', '0', ' ', '\0', '\x80', '}', ','}) {
      std::string changed = text;
      changed[at] = c;
      payloads.add(changed);
    }
  }
  learning->decode(payloads.records(), arena, &by_shape);
  slow->decode(payloads.records(), arena, &by_parser);
  require_same(by_shape, by_parser);
  CHECK(by_parser.records.size() >= 2);
  CHECK(by_parser.malformed.size() > text.size());
}

TEST_CASE("records that never repeat a shape decode the same, and are not learnt without end") {
  Source source;
  source.columns = {column_of("a", Type::bigint())};
  const auto learning = make_json_decoder(source, {0}, JsonPath::kLearning);
  const auto slow = make_json_decoder(source, {0}, JsonPath::kSlowOnly);
  Payloads payloads;
  for (int i = 0; i < 2000; ++i) {
    payloads.add("{\"x" + std::to_string(i) + "\":0,\"a\":" + std::to_string(i) + "}");
  }
  Arena arena;
  Decoded by_shape;
  Decoded by_parser;
  learning->decode(payloads.records(), arena, &by_shape);
  slow->decode(payloads.records(), arena, &by_parser);
  require_same(by_shape, by_parser);
  CHECK(by_shape.records.size() == 2000);
}

}  // namespace kappa::schemas
