#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kappa::sql {

struct Field;

// A node of PostgreSQL's parse tree, as libpg_query names its parts ("SelectStmt" with
// "targetList", "whereClause", …). Only fields that are set are there: false, zero and empty ones
// are not.
struct Node {
  std::string kind;   // empty: PostgreSQL's null node
  size_t offset = 0;  // bytes from the start of the text; of a part of it where it has none itself
  std::vector<Field> fields;

  const Field* find(std::string_view field) const;
  bool has(std::string_view field) const { return find(field) != nullptr; }
  // A scalar as text: "12", "true", "SETOP_NONE"; empty if it is not set.
  std::string_view text(std::string_view field) const;
  bool flag(std::string_view field) const { return text(field) == "true"; }
  // The node of a field, or nullptr.
  const Node* child(std::string_view field) const;
  // The nodes of a list; empty if it is not set.
  std::span<const Node> list(std::string_view field) const;
  // The texts of a list of String nodes: ["pg_catalog", "int4"].
  std::vector<std::string> names(std::string_view field) const;

  // Where the first of it and its parts stands: an operator stands between its sides.
  size_t first_offset() const;

  bool is(std::string_view other_kind) const { return kind == other_kind; }
};

struct Field {
  std::string name;
  std::string scalar;
  std::vector<Node> nodes;
  bool is_list = false;
  // Where it stands: at the words that introduce it, such as ORDER BY, else where the first of its
  // nodes does; without nodes it stands where the node around it does.
  size_t offset = 0;
};

}  // namespace kappa::sql
