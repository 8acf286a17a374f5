#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/sql/parser/tree.h"

namespace kappa::sql {

// A field of a node that its reader handles; with `only`, just when it is there with that value.
struct Handled {
  std::string_view field;
  std::string_view only = {};
};

// Nothing that the grammar accepts is ignored: refuses, by its SQL name, whatever is set in `node`
// beyond what its reader handles. `where` ends the message: "in a view".
absl::Status expect_only(const Node& node, std::initializer_list<Handled> handled,
                         std::string_view where = "");

// The SQL name of a construct: of a node's kind ("SubLink"), a field ("SelectStmt.havingClause") or
// a field's value ("SelectStmt.op=SETOP_INTERSECT").
struct Construct {
  std::string_view key;
  std::string_view name;
  std::string_view hint;
};
const Construct* find_construct(std::string_view key);

// "HAVING is not supported yet in a view", at the first character of `at` or at `offset`, with the
// construct's hint.
absl::Status not_supported(const Node& at, std::string_view key, std::string_view where = "");
absl::Status not_supported(size_t offset, std::string_view key, std::string_view where = "");

}  // namespace kappa::sql
