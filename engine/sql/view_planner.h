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
#include "engine/sql/top_n_planner.h"

namespace kappa::sql {

// How a view's groups are answered and kept.
struct Emission {
  operators::Emit emit = operators::Emit::kChanges;
  int64_t grace_us = 0;
  std::optional<int64_t> retention_us;
};

// When the windows of a relation expire that are answered once and kept for some time: as those of
// the aggregate below, which goes by a watermark that has not lost the grace yet, at end +
// max(grace, retention). std::nullopt: they do not; column -1: it does not show their start.
std::optional<operators::Expiry> window_expiry(const Relation& windows, const Emission& emission);

// Turns the SELECT of a view or an INSERT into plan nodes:
//
//   source or view → [Project what is used → Filter] → Project → [Aggregate → Project] → …
//                                                              → [[Reorder →] Sliding … → Project]
//                                                              → [TopN → Project]
//
// A UNION ALL puts a Union over its branches. Queries in WITH and FROM are planned likewise, before
// what reads them.
class ViewPlanner {
 public:
  // All are borrowed. `where` ends the message that something is not supported: "in a view".
  // `with_hidden_key`: the key gets the columns that it needs beside those of the SELECT: the
  // branch of a union whose branches have a key; the record that caused a row, for OVER with
  // emit = 'final'.
  ViewPlanner(const SourceText& text, const ProductCatalog& catalog, PlanBuilder& builder,
              Emission emission, std::string_view where, bool with_hidden_key)
      : text_(text),
        builder_(builder),
        emission_(emission),
        where_(where),
        with_hidden_key_(with_hidden_key),
        nested_(catalog, builder, [this](const Node& select) { return plan_query(select); }) {}

  // Plans the tables of a WITH that stands before the statement itself.
  absl::Status declare_with(const Node& statement) { return nested_.declare_with(statement); }
  // The rows of the query. Their relation has no name.
  absl::StatusOr<Relation> plan(const Node& select);

  // What has been planned, for judging options.
  bool has_window() const { return has_window_; }
  bool has_group() const { return has_group_; }
  bool has_unwindowed_group() const { return has_unwindowed_group_; }
  bool has_join_by_time() const { return has_join_by_time_; }
  bool has_over() const { return has_over_; }
  bool has_distinct() const { return has_distinct_; }
  bool has_row_number() const { return has_row_number_; }

 private:
  struct Branch {
    const Node* select = nullptr;
    FromClause from = {};
    BoundSelect bound = {};
    // The outputs of which it shows the first row each: DISTINCT [ON].
    std::optional<std::vector<int>> distinct = {};
    // Up to which number it reads rows that ROW_NUMBER() has numbered.
    std::optional<int64_t> row_limit = {};
  };

  absl::StatusOr<Relation> plan_query(const Node& select);
  absl::Status bind_branches(const Node& select, std::vector<Branch>* branches);
  absl::StatusOr<Branch> bind_branch(const Node& select);
  absl::Status unify_branches(std::vector<Branch>& branches) const;
  absl::Status bind_distinct(Branch& branch) const;
  absl::Status bind_distinct_order(Branch& branch) const;
  absl::Status check_over(const Branch& branch) const;
  static void keep_roles(const Branch& branch, Relation* relation);
  LimitedKey read_branch(Branch& branch, operators::NodeId* input);
  Relation plan_ungrouped(const Branch& branch, const Branch& rest, operators::NodeId input,
                          const operators::ExprRef& event_time, bool with_identity);
  absl::StatusOr<Relation> plan_branch(const Branch& branch, bool with_identity);
  absl::StatusOr<Relation> plan_union(const std::vector<Branch>& branches);
  Relation plan_rows(const Branch& branch, operators::NodeId input);
  void find_key(const Branch& branch, Relation* relation) const;
  std::optional<std::vector<int>> common_key(const std::vector<Branch>& branches) const;
  bool has_identity(const std::vector<Branch>& branches) const;
  absl::Status add_branch_column(const Branch& branch, int32_t ordinal, Relation* relation);

  const SourceText& text_;
  PlanBuilder& builder_;
  Emission emission_;
  std::string_view where_;
  bool with_hidden_key_;
  NestedQueries nested_;
  bool has_group_ = false;
  bool has_unwindowed_group_ = false;
  bool has_window_ = false;
  bool has_join_by_time_ = false;
  bool has_over_ = false;
  bool has_distinct_ = false;
  bool has_row_number_ = false;
};

}  // namespace kappa::sql
