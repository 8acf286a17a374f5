#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/query.h"
#include "engine/sql/query_from.h"
#include "engine/sql/select.h"
#include "engine/sql/source_text.h"

namespace kappa::sql {

// A query expression between binding and building: a SELECT, or the UNION of two.
struct QueryExpression {
  const Node* select = nullptr;
  // A SELECT, with the expressions that only ORDER BY needs behind its outputs.
  std::unique_ptr<QueryFrom> from;
  BoundSelect bound;
  size_t visible = 0;
  // A UNION, of columns of equal types.
  std::unique_ptr<QueryExpression> left;
  std::unique_ptr<QueryExpression> right;
  // Both.
  bool distinct = false;
  std::vector<SortKey> order;
  std::optional<QueryLimit> limit;

  const std::vector<OutputColumn>& outputs() const {
    return left ? left->outputs() : bound.outputs;
  }
};

struct CommonTable;
using CommonTables = std::map<std::string, CommonTable>;
// WITH name AS (query): bound anew wherever it is read, among the tables that it saw.
struct CommonTable {
  const Node* query;
  std::shared_ptr<const CommonTables> visible;
};

// Compiles SELECTs over the views of a plan.
class QueryBinder {
 public:
  // Both are borrowed.
  QueryBinder(const SourceText& text, const operators::Plan& plan) : text_(text), plan_(plan) {}

  // A SELECT as a tree whose schema has the names of its columns.
  absl::StatusOr<std::unique_ptr<QueryNode>> compile(const Node& select);
  // A view by its name, which stands at `offset`.
  absl::StatusOr<operators::NodeId> find_view(const std::string& name, size_t offset) const;
  // The views that what was compiled reads, ascending.
  std::vector<operators::NodeId> views() const { return {views_.begin(), views_.end()}; }

 private:
  using Expression = std::unique_ptr<QueryExpression>;

  absl::StatusOr<Expression> bind(const Node& select);
  absl::StatusOr<Expression> bind_union(const Node& select);
  absl::StatusOr<Expression> bind_select(const Node& select);
  absl::Status bind_order(const Node& select, SelectBinder* binder, QueryExpression& expression);
  absl::Status bind_limit(const Node& select, QueryExpression& expression);
  absl::StatusOr<std::optional<int64_t>> bind_count(const Node& select, const char* field,
                                                    const char* name) const;
  absl::Status add_common_tables(const Node& select);

  absl::StatusOr<QueryFrom> bind_from(const Node& select);
  absl::StatusOr<QueryFrom> bind_from_item(const Node& item);
  absl::StatusOr<QueryFrom> bind_table(const Node& table);
  absl::StatusOr<QueryFrom> bind_subquery(const Node& query, const std::string& alias);
  absl::StatusOr<QueryFrom> bind_common_table(const CommonTable& table, const std::string& alias);
  absl::StatusOr<QueryFrom> bind_join(const Node& join);
  absl::Status bind_on(const Node& condition, QueryFrom& join) const;
  absl::Status no_such_view(size_t offset, const std::string& name) const;

  std::unique_ptr<QueryNode> build(QueryExpression expression) const;
  std::unique_ptr<QueryNode> build_select(QueryExpression& expression) const;

  const SourceText& text_;
  const operators::Plan& plan_;
  CommonTables common_tables_;  // in scope
  int selects_ = 0;
  std::set<operators::NodeId> views_;
};

}  // namespace kappa::sql
