#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"
#include "engine/types/type.h"

namespace kappa::sql {

// The columns that the expressions of a SELECT see: those of its FROM, in order.
class Scope {
 public:
  struct Column {
    std::string relation;  // the table's name or alias
    std::string name;
    Type type;
    bool in_star = true;     // whether SELECT * shows it
    bool of_window = false;  // window_start, window_end or window_time of a window function
    bool shadowed = false;   // a window's column has its name: nothing can read it
  };

  void add(Column column) { columns_.push_back(std::move(column)); }
  const std::vector<Column>& columns() const { return columns_; }
  const Column& column(int index) const { return columns_[static_cast<size_t>(index)]; }
  int size() const { return static_cast<int>(columns_.size()); }

  // The column that a ColumnRef names.
  absl::StatusOr<int> resolve(const Node& column_ref) const;
  // The columns of * or t.*, ascending.
  absl::StatusOr<std::vector<int>> expand_star(const Node& column_ref) const;
  // Whether some column is called so.
  bool has(std::string_view name) const;

 private:
  absl::Status no_such_column(const Node& at, const std::string& relation,
                              const std::string& name) const;
  bool has_relation(std::string_view name) const;
  std::vector<std::string> relations() const;

  std::vector<Column> columns_;
};

}  // namespace kappa::sql
