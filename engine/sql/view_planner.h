#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sql/from_clause.h"
#include "engine/sql/nested_queries.h"
#include "engine/sql/parser/tree.h"
#include "engine/sql/plan_builder.h"
#include "engine/sql/product_catalog.h"
#include "engine/sql/relation.h"
#include "engine/sql/select.h"
#include "engine/sql/source_text.h"

namespace kappa::sql {

// How a view's groups are answered and kept.
struct Emission {
  operators::Emit emit = operators::Emit::kChanges;
  int64_t grace_us = 0;
  std::optional<int64_t> retention_us;
};

// Turns the SELECT of a view or an INSERT into plan nodes:
//
//   source or view → [Project what is used → Filter] → Project → [Aggregate → Project] → …
//
// A UNION ALL puts a Union over its branches. Queries in WITH and FROM are planned likewise, before
// what reads them.
class ViewPlanner {
 public:
  // All are borrowed. `where` ends the message that something is not supported: "in a view".
  // `with_branch`: the key of a union whose branches have one gets the column that tells them
  // apart.
  ViewPlanner(const SourceText& text, const ProductCatalog& catalog, PlanBuilder& builder,
              Emission emission, std::string_view where, bool with_branch)
      : text_(text),
        builder_(builder),
        emission_(emission),
        where_(where),
        with_branch_(with_branch),
        nested_(catalog, builder, [this](const Node& select) { return plan(select); }) {}

  // Plans the tables of a WITH that stands before the statement itself.
  absl::Status declare_with(const Node& statement) { return nested_.declare_with(statement); }
  // The rows of the query. Their relation has no name.
  absl::StatusOr<Relation> plan(const Node& select);

  // What has been planned, for judging options.
  bool has_window() const { return has_window_; }
  bool has_group() const { return has_group_; }

 private:
  struct Branch {
    const Node* select = nullptr;
    FromClause from = {};
    BoundSelect bound = {};
  };

  absl::Status bind_branches(const Node& select, std::vector<Branch>* branches);
  absl::StatusOr<Branch> bind_branch(const Node& select);
  absl::Status unify_branches(std::vector<Branch>& branches) const;
  absl::StatusOr<Relation> plan_branch(const Branch& branch);
  absl::StatusOr<Relation> plan_union(const std::vector<Branch>& branches);
  Relation plan_rows(const Branch& branch, operators::NodeId input);
  void find_key(const Branch& branch, Relation* relation) const;
  std::optional<std::vector<int>> common_key(const std::vector<Branch>& branches) const;
  absl::Status add_branch_column(const Branch& branch, int32_t ordinal, Relation* relation);

  const SourceText& text_;
  PlanBuilder& builder_;
  Emission emission_;
  std::string_view where_;
  bool with_branch_;
  NestedQueries nested_;
  bool has_group_ = false;
  bool has_window_ = false;
};

}  // namespace kappa::sql
