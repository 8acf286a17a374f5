#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/relation.h"

namespace kappa::sql {

// The tables and views of a product, as far as its statements have been compiled.
class ProductCatalog {
 public:
  // What a statement makes whose compilation failed: referring to it is no news.
  void add_faulty(const std::string& name) { faulty_.insert(name); }
  // What some statement of the product makes, compiled or not.
  void announce(const std::string& name) { announced_.insert(name); }
  // The name must be free().
  void add(Relation relation);
  void add_table(const std::string& name, int source) { tables_[name] = source; }

  // Whether a new table or view may be called so.
  absl::Status check_free(const Node& at, const std::string& name) const;
  // The relation that a RangeVar or ColumnRef at `at` names.
  absl::StatusOr<const Relation*> find(const Node& at, const std::string& name) const;
  // The index of a foreign table among the sources, for writing to it.
  absl::StatusOr<int> find_table(const Node& at, const std::string& name) const;

 private:
  absl::Status unknown(const Node& at, const std::string& name, std::string_view what,
                       const std::vector<std::string>& names) const;

  std::map<std::string, Relation> relations_;
  std::map<std::string, int> tables_;
  std::set<std::string> faulty_;
  std::set<std::string> announced_;
};

}  // namespace kappa::sql
