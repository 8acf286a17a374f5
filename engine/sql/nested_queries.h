#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/plan_builder.h"
#include "engine/sql/product_catalog.h"
#include "engine/sql/relation.h"

namespace kappa::sql {

// What FROM reads in a statement of a product: views and foreign tables, and the queries inside of
// the statement, which are planned once, where they stand, and then read as if they were views
// without rows of their own. A table of WITH hides a view of its name.
class NestedQueries {
 public:
  using PlanQuery = std::function<absl::StatusOr<Relation>(const Node& select)>;

  // The catalog and the builder are borrowed. `plan` plans a SELECT.
  NestedQueries(const ProductCatalog& catalog, PlanBuilder& builder, PlanQuery plan)
      : catalog_(catalog), builder_(builder), plan_(std::move(plan)) {}
  NestedQueries(const NestedQueries&) = delete;
  NestedQueries& operator=(const NestedQueries&) = delete;

  // The tables of a WITH are seen until the scope in which they were declared ends.
  class Scope {
   public:
    explicit Scope(NestedQueries& queries) : queries_(queries), outer_(queries.tables_) {}
    ~Scope() { queries_.tables_ = std::move(outer_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    NestedQueries& queries_;
    std::map<std::string, const Relation*> outer_;
  };

  // Plans the tables of a statement's WITH, each among those before it.
  absl::Status declare_with(const Node& statement);
  // What the name at `at` stands for in FROM. It lives as long as this or the catalog.
  absl::StatusOr<const Relation*> find(const Node& at, const std::string& name) const;
  // (SELECT …) AS alias in FROM. It lives as long as this.
  absl::StatusOr<const Relation*> add_subquery(const Node& select, const std::string& alias);
  // Keeps rows that were planned for FROM, a join's: they live as long as this.
  const Relation* own(Relation rows);
  PlanBuilder& builder() { return builder_; }

 private:
  absl::StatusOr<const Relation*> add(const Node& select, const std::string& name);

  const ProductCatalog& catalog_;
  PlanBuilder& builder_;
  PlanQuery plan_;
  std::deque<Relation> planned_;
  std::map<std::string, const Relation*> tables_;  // of WITH, in scope
};

}  // namespace kappa::sql
