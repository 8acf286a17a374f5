#include <catch2/catch.hpp>

#include "engine/cli/scenario/rows.h"

namespace kappa::cli::scenario {

TEST_CASE("cells show NULL, the empty text and line ends so that a row stays a line") {
  CHECK(cell_text(Value::null(Type::text())) == "NULL");
  CHECK(cell_text(Value::text("")) == "(empty)");
  CHECK(cell_text(Value::text("a\tb\nc\r")) == "a\\tb\\nc\\r");
  CHECK(cell_text(Value::boolean(true)) == "true");
  CHECK(cell_text(Value::timestamptz(1'500'000)) == "1970-01-01T00:00:01.5Z");
}

TEST_CASE("types have the letters of the query line") {
  CHECK(type_letter(Type::integer()) == 'I');
  CHECK(type_letter(Type::bigint()) == 'I');
  CHECK(type_letter(Type::numeric(12, 2)) == 'R');
  CHECK(type_letter(Type::double_precision()) == 'R');
  CHECK(type_letter(Type::boolean()) == 'T');
  CHECK(type_letter(Type::timestamptz()) == 'T');
}

TEST_CASE("the fields of a JSON row stand in their order") {
  CHECK(*json_row_text(R"({"b": "x", "a": null, "c": true, "d": "", "e": 12})") ==
        "x\tNULL\ttrue\t(empty)\t12");
  CHECK_FALSE(json_row_text("[1]").ok());
}

TEST_CASE("a difference shows what is missing and what is too much") {
  CHECK(difference({"a", "b", "c"}, {"a", "x", "c"}, 10) ==
        "  … 1 equal rows\n- b\n+ x\n  … 1 equal rows");
  CHECK(difference({}, {"a"}, 10) == "+ a");
  CHECK(difference({"a"}, {}, 10) == "- a");
  CHECK(difference({"a", "b", "c"}, {"b", "c", "d"}, 10) == "- a\n  b\n  c\n+ d");
  CHECK(difference({}, {"a", "b", "c"}, 2) == "+ a\n+ b\n  … and 1 more lines");
}

}  // namespace kappa::cli::scenario
