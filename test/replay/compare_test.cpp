#include "replay/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <catch2/catch.hpp>

#include "test/pipeline/test_product.h"
#include "test/serve/fake_views.h"

namespace kappa::replay {
namespace {

using operators::Schema;
using serve::FakeViews;
using serve::ViewDifference;

constexpr size_t kMemory = 64 << 20;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Value interval(int64_t us) {
  return {Type::interval(), us};
}
Value bytea(std::string bytes) {
  return {Type::bytea(), std::move(bytes)};
}
Value numeric(int128 scaled) {
  return {Type::numeric(38, 2), scaled};
}

absl::StatusOr<std::vector<ViewDifference>> compared(FakeViews& before, FakeViews& after,
                                                     size_t samples_max = 3,
                                                     size_t memory_bytes_max = kMemory) {
  const auto former = before.pin({}, {});
  const auto later = after.pin({}, {});
  return compare({before.plan(), **former}, {after.plan(), **later}, samples_max, memory_bytes_max);
}

// Two views of one name, compared with each other.
ViewDifference difference(FakeViews::View before, FakeViews::View after, size_t samples_max = 3) {
  FakeViews former;
  FakeViews later;
  former.add("v", std::move(before));
  later.add("v", std::move(after));
  later.slice_rows = 2;
  const auto found = compared(former, later, samples_max);
  test::require_ok(found.status());
  REQUIRE(found->size() == 1);
  return found->front();
}

FakeViews::View view_of(Schema schema, std::vector<int> key, std::vector<Row> rows) {
  FakeViews::View view;
  view.schema = std::move(schema);
  view.key = std::move(key);
  view.rows = std::move(rows);
  return view;
}

const Schema kPages = {{"page", Type::text()}, {"hits", Type::bigint()}};

FakeViews::View pages(const std::vector<std::pair<std::string, int64_t>>& hits) {
  FakeViews::View view = view_of(kPages, {0}, {});
  for (const auto& [page, n] : hits) view.rows.push_back({Value::text(page), Value::bigint(n)});
  return view;
}

// A view of one row: the number 1, which is its key, and a value.
FakeViews::View one(const Value& value) {
  return view_of({{"id", Type::integer()}, {"value", value.type}}, {0},
                 {{Value::integer(1), value}});
}

bool equal(const Value& before, const Value& after) {
  const ViewDifference found = difference(one(before), one(after));
  CHECK(found.changed == (found.equal() ? 0 : 1));
  CHECK((found.checksum_before == found.checksum_after) == found.equal());
  return found.equal();
}

bool equal_keys(const Value& before, const Value& after) {
  FakeViews::View former = one(before);
  FakeViews::View later = one(after);
  former.key = later.key = {1};
  return difference(std::move(former), std::move(later)).equal();
}

}  // namespace

TEST_CASE("rows that were changed, added and removed are told apart and shown") {
  const ViewDifference found = difference(pages({{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}}),
                                          pages({{"e", 5}, {"d", 4}, {"c", 30}, {"a", 1}}));
  CHECK(found.view == "v");
  CHECK(found.incomparable.empty());
  CHECK_FALSE(found.equal());
  CHECK(found.rows_before == 4);
  CHECK(found.rows_after == 4);
  CHECK(found.changed == 1);
  CHECK(found.added == 1);
  CHECK(found.removed == 1);
  CHECK(found.columns == std::vector<std::pair<std::string, uint64_t>>{{"hits", 1}});
  CHECK(found.sample_columns == std::vector<std::string>{"page", "hits"});
  REQUIRE(found.samples.size() == 3);
  CHECK(found.samples[0].before == Row{Value::text("c"), Value::bigint(3)});
  CHECK(found.samples[0].after == Row{Value::text("c"), Value::bigint(30)});
  CHECK(found.samples[1].before == std::nullopt);
  CHECK(found.samples[1].after == Row{Value::text("e"), Value::bigint(5)});
  CHECK(found.samples[2].before == Row{Value::text("b"), Value::bigint(2)});
  CHECK(found.samples[2].after == std::nullopt);
}

TEST_CASE("a checksum counts the same rows the same, in whatever order they come") {
  const ViewDifference found =
      difference(pages({{"a", 1}, {"b", 2}, {"c", 3}}), pages({{"c", 3}, {"a", 1}, {"b", 2}}));
  CHECK(found.equal());
  CHECK(found.checksum_before == found.checksum_after);
  CHECK(found.checksum_before != 0);
  CHECK(difference(pages({}), pages({})).equal());
  const ViewDifference grown = difference(pages({}), pages({{"", 0}}));
  CHECK(grown.added == 1);
  CHECK(grown.checksum_after != grown.checksum_before);
}

TEST_CASE("values are equal as keys of a group are") {
  CHECK(equal(Value::null(Type::text()), Value::null(Type::text())));
  CHECK_FALSE(equal(Value::null(Type::text()), Value::text("")));
  CHECK_FALSE(equal(Value::null(Type::bigint()), Value::bigint(0)));
  CHECK_FALSE(equal(Value::null(Type::boolean()), Value::boolean(false)));
  CHECK_FALSE(equal(Value::boolean(true), Value::boolean(false)));
  CHECK(equal(Value::double_precision(kNan), Value::double_precision(-kNan)));
  CHECK(equal(Value::double_precision(-0.0), Value::double_precision(0.0)));
  CHECK_FALSE(equal(Value::double_precision(kNan), Value::double_precision(0.0)));
  CHECK_FALSE(equal(Value::double_precision(1), Value::double_precision(std::nextafter(1, 2))));
  CHECK(equal(numeric(int128{1} << 100), numeric(int128{1} << 100)));
  CHECK_FALSE(equal(numeric((int128{1} << 100) + 7), numeric((int128{1} << 99) + 7)));
  CHECK_FALSE(equal(numeric(-1), numeric(1)));
  CHECK(equal(bytea(std::string("\0\1", 2)), bytea(std::string("\0\1", 2))));
  CHECK_FALSE(equal(bytea(std::string("\0\1", 2)), bytea(std::string("\0\1\0", 3))));
  CHECK(equal(interval(3'600'000'000), interval(3'600'000'000)));
  CHECK_FALSE(equal(interval(3'600'000'000), interval(3'600'000'001)));
}

TEST_CASE("keys are equal as those of a group are") {
  CHECK(equal_keys(Value::null(Type::text()), Value::null(Type::text())));
  CHECK_FALSE(equal_keys(Value::null(Type::text()), Value::text("")));
  CHECK(equal_keys(Value::double_precision(kNan), Value::double_precision(-kNan)));
  CHECK(equal_keys(Value::double_precision(-0.0), Value::double_precision(0.0)));
  CHECK(equal_keys(numeric(int128{7} << 80), numeric(int128{7} << 80)));
  CHECK_FALSE(equal_keys(numeric(int128{7} << 80), numeric(int128{7} << 81)));
  CHECK_FALSE(equal_keys(bytea("a"), bytea("b")));
}

TEST_CASE("columns are compared by name and type, wherever they stand") {
  const Schema before = {{"page", Type::text()},
                         {"hits", Type::bigint()},
                         {"gone", Type::text()},
                         {"n", Type::date()}};
  const Schema after = {{"n", Type::integer()},
                        {"hits", Type::bigint()},
                        {"page", Type::text()},
                        {"fresh", Type::boolean()}};
  const Value day{Type::date(), int32_t{4}};
  const ViewDifference found = difference(
      view_of(before, {0},
              {{Value::text("a"), Value::bigint(1), Value::text("x"), day},
               {Value::text("b"), Value::bigint(2), Value::text("y"), day}}),
      view_of(after, {2},
              {{Value::integer(4), Value::bigint(1), Value::text("a"), Value::boolean(true)},
               {Value::integer(4), Value::bigint(7), Value::text("b"), Value::boolean(true)}}));
  CHECK(found.columns_before == std::vector<std::string>{"gone", "n (date)"});
  CHECK(found.columns_after == std::vector<std::string>{"n (integer)", "fresh"});
  CHECK(found.changed == 1);
  CHECK(found.columns == std::vector<std::pair<std::string, uint64_t>>{{"hits", 1}});
  CHECK_FALSE(found.equal());
  REQUIRE(found.samples.size() == 1);
  CHECK(found.samples[0].before == Row{Value::text("b"), Value::bigint(2)});
  CHECK(found.samples[0].after == Row{Value::text("b"), Value::bigint(7)});
}

TEST_CASE("rows with the same values have equal checksums whatever else they have") {
  const ViewDifference found = difference(
      pages({{"a", 1}}), view_of({{"more", Type::text()}, kPages[0], kPages[1]}, {1},
                                 {{Value::text("m"), Value::text("a"), Value::bigint(1)}}));
  CHECK(found.changed == 0);
  CHECK(found.checksum_before == found.checksum_after);
  CHECK(found.columns_after == std::vector<std::string>{"more"});
}

TEST_CASE("the columns of a key may stand in another order") {
  FakeViews::View former =
      view_of({{"a", Type::integer()}, {"b", Type::text()}, {"n", Type::bigint()}}, {0, 1},
              {{Value::integer(1), Value::text("x"), Value::bigint(5)}});
  FakeViews::View later = former;
  later.key = {1, 0};
  later.rows[0][2] = Value::bigint(6);
  const ViewDifference found = difference(former, later);
  CHECK(found.incomparable.empty());
  REQUIRE(found.samples.size() == 1);
  CHECK(found.samples[0].before == former.rows[0]);
  CHECK(found.samples[0].after == later.rows[0]);
}

TEST_CASE("a view of one row without a key is compared") {
  FakeViews::View former = view_of({{"n", Type::bigint()}}, {}, {{Value::bigint(5)}});
  FakeViews::View later = former;
  later.rows[0][0] = Value::bigint(6);
  const ViewDifference found = difference(former, later);
  CHECK(found.changed == 1);
  REQUIRE(found.samples.size() == 1);
  CHECK(found.samples[0].after == later.rows[0]);
}

TEST_CASE("views with different keys are counted, and it says why") {
  FakeViews::View later = pages({{"a", 1}, {"b", 1}});
  later.key = {0, 1};
  const ViewDifference wider = difference(pages({{"a", 1}}), later);
  CHECK(wider.incomparable == "its key is (page) before and (page, hits) after");
  CHECK(wider.rows_before == 1);
  CHECK(wider.rows_after == 2);
  CHECK(wider.samples.empty());
  CHECK_FALSE(wider.equal());

  const ViewDifference retyped =
      difference(pages({{"a", 1}}), view_of({{"page", Type::integer()}, {"hits", Type::bigint()}},
                                            {0}, {{Value::integer(1), Value::bigint(1)}}));
  CHECK(retyped.incomparable == "its key is (page text) before and (page integer) after");
  CHECK(retyped.columns_before == std::vector<std::string>{"page (text)"});

  FakeViews::View by_record = pages({{"a", 1}});
  by_record.key = {};
  by_record.by_record = true;
  CHECK(difference(by_record, pages({{"a", 1}})).incomparable ==
        "its key is the record before and (page) after");
}

TEST_CASE("rows of a view keyed by record are counted by their values") {
  FakeViews::View former = pages({{"a", 1}, {"a", 1}, {"a", 1}, {"b", 2}, {"c", 3}});
  FakeViews::View later = pages({{"d", 4}, {"a", 1}, {"b", 2}, {"d", 4}, {"b", 2}});
  for (FakeViews::View* view : {&former, &later}) {
    view->key = {};
    view->by_record = true;
  }
  const ViewDifference found = difference(former, later, 10);
  CHECK(found.changed == 0);
  CHECK(found.removed == 3);
  CHECK(found.added == 3);
  std::multiset<std::string> shown;
  for (const ViewDifference::Sample& sample : found.samples) {
    shown.insert((sample.before ? "-" : "+") +
                 to_text((sample.before ? *sample.before : *sample.after)[0]));
  }
  CHECK(shown == std::multiset<std::string>{"+b", "+d", "+d", "-a", "-a", "-c"});
  std::reverse(former.rows.begin(), former.rows.end());
  FakeViews::View same = former;
  std::reverse(same.rows.begin(), same.rows.end());
  CHECK(difference(former, same).equal());
}

TEST_CASE("views that only one logic has are counted, all by name") {
  FakeViews before;
  FakeViews after;
  before.add("old", pages({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}}));
  before.add("both", pages({{"a", 1}}));
  after.add("both", pages({{"a", 1}}));
  after.add("any", pages({{"a", 1}}));
  const auto found = compared(before, after);
  test::require_ok(found.status());
  REQUIRE(found->size() == 3);
  CHECK(found->at(0).view == "any");
  CHECK(found->at(0).incomparable == "only the later logic has it");
  CHECK(found->at(0).rows_after == 1);
  CHECK(found->at(1).view == "both");
  CHECK(found->at(1).equal());
  CHECK(found->at(2).view == "old");
  CHECK(found->at(2).incomparable == "only the former logic has it");
  CHECK(found->at(2).rows_before == 4);
  CHECK_FALSE(found->at(2).equal());
}

TEST_CASE("a moment can be compared as often as one likes") {
  FakeViews before;
  FakeViews after;
  before.add("v", pages({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}}));
  after.add("v", pages({{"a", 1}, {"b", 1}, {"e", 1}, {"f", 1}, {"g", 1}}));
  const auto former = before.pin({}, {});
  const auto later = after.pin({}, {});
  for (int i = 0; i < 2; ++i) {
    const auto found = compare({before.plan(), **former}, {after.plan(), **later}, 1, kMemory);
    test::require_ok(found.status());
    CHECK(found->at(0).added == 3);
    CHECK(found->at(0).removed == 2);
    CHECK(found->at(0).samples.size() == 2);
  }
}

TEST_CASE("without samples the later moment is read once") {
  FakeViews before;
  FakeViews after;
  before.add("v", pages({{"a", 1}}));
  after.add("v", pages({{"b", 1}}));
  const auto found = compared(before, after, 0);
  test::require_ok(found.status());
  CHECK(found->at(0).added == 1);
  CHECK(found->at(0).samples.empty());
  CHECK(after.slices_read == 2);
}

TEST_CASE("a view whose hashes would not fit is named, and what would help") {
  FakeViews before;
  FakeViews after;
  after.slice_rows = before.slice_rows = 1000;
  std::vector<std::pair<std::string, int64_t>> many;
  for (int i = 0; i < 20'000; ++i) many.emplace_back("p" + std::to_string(i), i);
  before.add("large", pages(many));
  after.add("large", pages(many));
  const auto refused = compared(before, after, 3, 400'000);
  CHECK(absl::IsResourceExhausted(refused.status()));
  CHECK(std::string(refused.status().message()) ==
        "view large: comparing it takes more than the 400000 bytes of memory that it may, for "
        "hashes of its rows (8000 fit); allow a comparison more memory, or let the view have fewer "
        "rows or columns");
  test::require_ok(compared(before, after, 3, 20'000 * 60).status());
}

}  // namespace kappa::replay
